package pebble

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/parley-im/parley/storage"
)

func TestALackOfDescriptorsIsNoDamage(t *testing.T) {
	for err, want := range map[syscall.Errno]bool{syscall.EIO: true, syscall.ENOENT: true, syscall.EMFILE: false, syscall.ENFILE: false} {
		got := damaged(&fs.PathError{Op: "open", Path: "000001.sst", Err: err})
		if errors.Is(got, storage.ErrDamaged) != want || !errors.Is(got, err) {
			t.Errorf("%v is taken for %v", err, got)
		}
	}
}
