"""Review cases: opened, found, leased (`review_cases`), what reports say of them (`reported`), what
a page shows of their evidence (`detail_access`), and who reviews (`reviewers`, `wellbeing`).
"""
