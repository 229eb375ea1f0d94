"""What is known of sources: calibration, reliability, and what executions teach."""
