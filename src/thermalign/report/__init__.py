"""Tables, figures and the page; computes no metric."""
