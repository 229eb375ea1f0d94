"""Value types of beliefs in force and their exact application to one window."""
