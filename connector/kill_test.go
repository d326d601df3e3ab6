package connector_test

func followUntilKilled() {}
