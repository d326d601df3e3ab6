package config

// Secrets is [secrets]: what ag-sessiond secrets knows.
type Secrets struct {
	// Allow are fingerprints, as secrets scan prints them, of what is known and no secret.
	Allow []string `toml:"allow"`
}
