package members

import (
	"bytes"
	"context"
	"log/slog"
)

// logWriter takes memberlist's lines, which begin with [LEVEL]. What it calls a
// warning or an error is about single packets and nodes that end: news for
// debugging.
type logWriter struct{ log *slog.Logger }

// Write implements io.Writer.
func (w *logWriter) Write(line []byte) (int, error) {
	if w.log.Enabled(context.Background(), slog.LevelDebug) {
		text := line
		if i := bytes.IndexByte(text, '['); i >= 0 {
			text = text[i:]
		}
		w.log.Debug("gossip: " + string(bytes.TrimSpace(text)))
	}
	return len(line), nil
}
