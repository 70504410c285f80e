module assay.invalid/images/probe

go 1.26.3
