"""Networks of matchers, trained by the one loop on people of datasets of their own."""
