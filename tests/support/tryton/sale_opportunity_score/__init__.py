"""A Tryton module: what Rescore shows of a lead, and the group of the user it comes in as."""
