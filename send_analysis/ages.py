"""Ages of children and young people, as the tables group them."""

# The age bands in which the Department for Education published EHC plans to January 2022, and in
# which the table `ehc_plans` goes on.
AGE_BANDS = {
    "under 5": range(5),
    "5-10": range(5, 11),
    "11-15": range(11, 16),
    "16-19": range(16, 20),
    "20-25": range(20, 26),
}
