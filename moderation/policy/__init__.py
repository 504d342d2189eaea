"""Policy versions: drafted, proposed and put in force (`drafting`), and their pages."""
