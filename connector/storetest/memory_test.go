package storetest_test

import (
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/storetest"
)

var (
	_ connector.Store  = (*storetest.Memory)(nil)
	_ connector.Reader = (*storetest.Memory)(nil)
)
