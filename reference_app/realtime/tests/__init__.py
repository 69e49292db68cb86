"""What this folder promises, as tests that pass in every copy of it; `README.md` says how."""
