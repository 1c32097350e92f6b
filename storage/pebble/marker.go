package pebble

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// orderedMarkers is a file system on which a marker file never survives a
// power cut that the file it names does not survive.
//
// Pebble makes a new manifest, then the marker that names it, and fsyncs their
// directory once after both. A disk that keeps the second entry and loses the
// first leaves a store that does not open. Journals keep the order of a
// directory's entries, but nothing promises it; one more fsync, at an open and
// when a manifest is full, does.
type orderedMarkers struct{ vfs.FS }

// Create implements vfs.FS.
func (o orderedMarkers) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(o.PathBase(name), "marker.") {
		if err := o.syncDir(o.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return o.FS.Create(name, c)
}

func (o orderedMarkers) syncDir(name string) error {
	dir, err := o.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Unwrap implements vfs.FS.
func (o orderedMarkers) Unwrap() vfs.FS { return o.FS }
