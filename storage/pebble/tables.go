package pebble

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// checkTables compares every block of a database's tables with its checksum, also
// filters and properties, which nobody needs who reads all rows.
func checkTables(fs vfs.FS, dir string, db *pebble.DB) error {
	levels, err := db.SSTables()
	if err != nil {
		return err
	}
	done := make(map[string]bool) // tables may share a file
	for _, level := range levels {
		for _, t := range level {
			name := fs.PathJoin(dir, t.BackingSSTNum.String()+".sst")
			if done[name] {
				continue
			}
			done[name] = true
			if err := checkTable(fs, name); err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
		}
	}
	return nil
}

func checkTable(fs vfs.FS, name string) (err error) {
	f, err := fs.Open(name)
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r, err := sstable.NewReader(context.Background(), readable, sstable.ReaderOptions{Filters: map[string]sstable.FilterPolicy{filter.Name(): filter}})
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}
