package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/config"
)

func TestAPI(t *testing.T) {
	home := t.TempDir()
	load := func(text string) (config.API, error) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, config.FileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(home)
		return c.API, err
	}
	for text, want := range map[string]config.API{
		"":                                    {},
		"[api]\nsocket = \"none\"":            {Socket: config.None},
		"[api]\nsocket = \"run/api\"":         {Socket: filepath.Join(home, "run/api")},
		"[api]\nsocket = \"/run/ag.sock\"":    {Socket: "/run/ag.sock"},
		"[api]\nlisten = \"127.0.0.1:4009\"":  {Listen: "127.0.0.1:4009"},
		"[api]\nlisten = \"[::1]:4009\"":      {Listen: "[::1]:4009"},
		"[api]\nlisten = \"localhost:0\"":     {Listen: "localhost:0"},
		"[api]\nlisten = \"127.1.2.3:65535\"": {Listen: "127.1.2.3:65535"},
	} {
		if got, err := load(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"[api]\nlisten = \"0.0.0.0:4009\"":     ":1: [api]: listen \"0.0.0.0:4009\": only 127.0.0.1, [::1] and localhost",
		"[api]\nlisten = \":4009\"":            "only 127.0.0.1",
		"[api]\nlisten = \"example.com:80\"":   "only 127.0.0.1",
		"[api]\nlisten = \"192.168.1.2:4009\"": "only 127.0.0.1",
		"[api]\nlisten = \"4009\"":             "want an address like",
		"[api]\nlistne = \"127.0.0.1:4009\"":   "did you mean listen?",
		"[api]\nlisten = 4009":                 "a string in quotes",
		"[api]\nlisten = \"127.0.0.1:99999\"":  "the port is to be a number from 0 to 65535",
		"[api]\nlisten = \"127.0.0.1:80a\"":    "the port is to be a number from 0 to 65535",
		"[api]\nlisten = \"127.0.0.1:\"":       "the port is to be a number from 0 to 65535",
		"[api]\nlisten = \"localhost:http\"":   "the port is to be a number from 0 to 65535",
		"[[api]]\nsocket = \"none\"":           config.FileName + ":1: [[api]]: want a table, begun by [api]",
		"[[prices]]\ninput = 1":                config.FileName + ":1: [[prices]]: want tables, each begun by [prices.NAME]",
		"[ap]\nlisten = \"127.0.0.1:4009\"":    "did you mean api?",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), config.FileName) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	load := func(text string) (config.Metrics, error) {
		c, err := config.Load(home(t, text, 0o600))
		return c.Metrics, err
	}
	if m, err := load("[metrics]\nlisten = \"127.0.0.1:9464\""); err != nil || m.Listen != "127.0.0.1:9464" {
		t.Errorf("%+v, %v", m, err)
	}
	for text, want := range map[string]string{
		"[metrics]\nlisten = \"0.0.0.0:9464\"":      ":1: [metrics]: listen \"0.0.0.0:9464\": only 127.0.0.1, [::1] and localhost",
		"[metrics]\nlisten = \"9464\"":              "want an address like \"127.0.0.1:9464\"",
		"[metrics]\nlisten = \"localhost:metrics\"": "the port is to be a number",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
