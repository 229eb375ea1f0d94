"""Who deserves credit: experts and beliefs masked one by one over stored windows, and shared by Shapley-lite."""
