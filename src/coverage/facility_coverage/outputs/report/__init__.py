"""Reports: finished runs told in chapters, as a page with live maps and as a Word document."""
