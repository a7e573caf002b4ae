module assent.dev/verify-folder

go 1.24

require golang.org/x/mod v0.20.0
