package members

import (
	"bytes"
	"log/slog"
	"sync"
)

// logWriter takes memberlist's lines, which begin with [LEVEL] and hold names,
// addresses and errors, never what was gossiped. What it calls a warning or an
// error is about single packets and nodes that end: news for debugging. Only
// that somebody gossips with another key or label is for the operator, once.
type logWriter struct {
	log   *slog.Logger
	other sync.Once
}

// foreign is what memberlist's lines about another key or label contain.
var foreign = [][]byte{[]byte("unacceptable label"), []byte("label header"), []byte("Decrypt packet failed"), []byte("could decrypt"), []byte("ncrypt")}

// Write implements io.Writer.
func (w *logWriter) Write(line []byte) (int, error) {
	text := line
	if i := bytes.IndexByte(text, '['); i >= 0 {
		text = text[i:]
	}
	text = bytes.TrimSpace(text)
	if isForeign(text) {
		w.other.Do(func() {
			w.log.Warn("somebody gossips with another key or label and is ignored", "gossip", string(text))
		})
	}
	w.log.Debug("gossip: " + string(text))
	return len(line), nil
}

// isForeign looks at errors only: a line at start advises encryption.
func isForeign(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("[ERR")) {
		return false
	}
	for _, part := range foreign {
		if bytes.Contains(text, part) {
			return true
		}
	}
	return false
}
