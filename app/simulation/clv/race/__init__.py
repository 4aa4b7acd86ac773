"""One telco campaign played day by day; neither worlds nor policies are defined here."""
