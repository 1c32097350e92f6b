package durable

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"a longer text", "short", ""} {
		if err := os.WriteFile(name+".new", []byte("what a crash left of an earlier attempt"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("the file holds %q, %v; want %q", got, err, text)
		}
	}
}

func TestWhatCannotBeWrittenLeavesTheOldText(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(name, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(name, []byte("new")); err == nil {
		t.Error("no error")
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "old" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}
