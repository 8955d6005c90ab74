"""The library behind the rare earths report book: what chapters import."""
