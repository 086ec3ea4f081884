"""The libraries that are measured, each as its own documentation says to use it."""
