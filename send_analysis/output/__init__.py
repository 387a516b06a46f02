"""Result tables → words, figures, pages and returns."""
