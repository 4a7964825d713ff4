"""The pages of the documentation: commands, links, and what a page must name."""
