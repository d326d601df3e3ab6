package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/replace"
)

// KeyFile is the name of the private key in a home.
const KeyFile = "seal.key"

// readKey reads the key of a home. The error of a home without one wraps fs.ErrNotExist.
func readKey(home string) (ed25519.PrivateKey, error) {
	path := filepath.Join(home, KeyFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errcode.With(errcode.SealKey, fmt.Errorf("%s is damaged, and is to hold %d hexadecimal digits: restore it from a backup", path, 2*ed25519.SeedSize))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// makeKey makes the key of a home that has none. The caller holds Lock.
func makeKey(home string) (ed25519.PrivateKey, error) {
	key, err := readKey(home)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails: it ends the program instead
	text := hex.EncodeToString(seed) + "\n"
	if err := replace.File(filepath.Join(home, KeyFile), KeyFile+".*.tmp", replace.Text([]byte(text)), nil); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PublicKey is the key that signatures are checked with, as text.
func PublicKey(home string) (string, error) {
	key, err := readKey(home)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return encodeKey(key.Public().(ed25519.PublicKey)), nil
}

const keyPrefix = "ed25519:"

func encodeKey(key ed25519.PublicKey) string {
	return keyPrefix + base64.StdEncoding.EncodeToString(key)
}

// parseKey reads what encodeKey wrote.
func parseKey(text string) (ed25519.PublicKey, error) {
	coded, ok := strings.CutPrefix(strings.TrimSpace(text), keyPrefix)
	key, err := base64.StdEncoding.DecodeString(coded)
	if !ok || err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errcode.With(errcode.SealKey, fmt.Errorf("%.60q is no public key: ag-sessiond seal key prints one", text))
	}
	return key, nil
}
