package transcript

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/internal/nobody"
)

func TestFindUnreadable(t *testing.T) {
	if nobody.Run(t) {
		return
	}
	dir := realDir(t)
	write(t, "{}\n", dir, "closed", uuidA+".jsonl")
	write(t, "{}\n", dir, "open", uuidB+".jsonl")
	if err := os.Chmod(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "closed"), 0o700)
	files, problems := Find(context.Background(), []string{dir, filepath.Join(dir, "missing")})
	if len(files) != 1 || len(problems) != 2 || problems[0].Error != "permission denied" || problems[1].Error != "no such file or directory" {
		t.Errorf("%v %v", files, problems)
	}
}
