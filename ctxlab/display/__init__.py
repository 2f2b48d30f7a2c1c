"""What people look at: HTML that survives a notebook's sanitizer, charts, the report."""
