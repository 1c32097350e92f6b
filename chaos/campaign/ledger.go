package campaign

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Ledger is a file with a line of JSON for each run, which outlives what writes
// it. It is for one process at a time.
type Ledger struct {
	file  *os.File
	lines []Line
}

// OpenLedger reads the ledger, or makes it. A last line that was cut off is
// dropped; any other line that cannot be read is an error.
func OpenLedger(name string) (*Ledger, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	l := &Ledger{file: file}
	if err := l.read(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read the ledger %s: %w", name, err)
	}
	return l, nil
}

// read takes the lines and leaves the file at the end of the last whole one.
func (l *Ledger) read() error {
	in := bufio.NewReader(l.file)
	var end int64
	for {
		text, err := in.ReadBytes('\n')
		if err != nil { // the end: what has no line end was cut off
			break
		}
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("line %d: %w", len(l.lines)+1, err)
		}
		l.lines = append(l.lines, line)
		end += int64(len(text))
	}
	if err := l.file.Truncate(end); err != nil {
		return err
	}
	_, err := l.file.Seek(end, 0)
	return err
}

// Has says whether the ledger has a run of this revision, seed and options.
func (l *Ledger) Has(o Options) bool {
	for _, line := range l.lines {
		if line.Seed == o.Seed && line.Revision == o.Revision && line.Options == o.Command {
			return true
		}
	}
	return false
}

// Add appends a run and has it on the disk.
func (l *Ledger) Add(line Line) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(text, '\n')); err != nil {
		return err
	}
	l.lines = append(l.lines, line)
	return l.file.Sync()
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }
