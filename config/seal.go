package config

// Seal is [seal]: whether what is recorded is sealed, so that changes to it are evident.
type Seal struct {
	// Enabled has the daemon seal what is recorded, as ag-sessiond seal does, once a minute at most.
	Enabled bool `toml:"enabled"`
}
