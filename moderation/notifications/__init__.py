"""What a person is told of decisions, appeals and reports: `news` on their page, `mails`, which
the tasks alone call."""
