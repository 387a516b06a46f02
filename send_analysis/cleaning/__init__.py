"""Official release → tidy table: one module a publisher; `releases.yml` says what files are like."""
