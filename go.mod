module github.com/actiongraph/actiongraph

go 1.26
