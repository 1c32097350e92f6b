package node

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// bodyFree lets the actor library log without ever printing a message: its
// dead-letter and debug lines hold whole messages, which hold what people say.
// Only the message's type is kept.
func bodyFree(log *slog.Logger) func(*actor.ActorSystem) *slog.Logger {
	return func(*actor.ActorSystem) *slog.Logger { return slog.New(typesOnly{log.Handler()}) }
}

type typesOnly struct{ slog.Handler }

// Enabled drops what is less than a warning: it is about single messages.
func (t typesOnly) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && t.Handler.Enabled(ctx, l)
}

// Handle replaces every attribute that is not plainly a name or a number.
func (t typesOnly) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(typeOnly(a))
		return true
	})
	return t.Handler.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (t typesOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = typeOnly(a)
	}
	return typesOnly{t.Handler.WithAttrs(clean)}
}

// WithGroup implements slog.Handler.
func (t typesOnly) WithGroup(name string) slog.Handler { return typesOnly{t.Handler.WithGroup(name)} }

func typeOnly(a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case *actor.PID:
		return slog.String(a.Key, v.GetId())
	case error:
		return slog.String(a.Key, fmt.Sprintf("%T", v))
	}
	if k := a.Value.Kind(); k == slog.KindAny || k == slog.KindGroup || k == slog.KindLogValuer {
		return slog.String(a.Key, fmt.Sprintf("%T", a.Value.Any()))
	}
	return a
}
