"""The page that any run is read by: its files (page.html, page.css, page.js) and what it shows, in parts."""
