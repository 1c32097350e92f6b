package config

import (
	"time"

	"github.com/parley-im/parley/chat"
)

// Limits override chat.DefaultLimits for one app. Zero keeps the default. Sizes
// are in bytes.
type Limits struct {
	TextBytes         int `yaml:"text_bytes,omitempty"`
	CustomBytes       int `yaml:"custom_bytes,omitempty"`
	CommandBytes      int `yaml:"command_bytes,omitempty"`
	ExtendedDataBytes int `yaml:"extended_data_bytes,omitempty"`
	SearchedBytes     int `yaml:"searched_bytes,omitempty"`
	// A client message id is remembered for DedupeAge or for the last
	// DedupeMessages of a conversation, whichever reaches back further.
	DedupeAge      time.Duration `yaml:"dedupe_age,omitempty"`
	DedupeMessages uint64        `yaml:"dedupe_messages,omitempty"`
	// Recall is how old a message may be that its sender recalls, up to 24 h.
	Recall time.Duration `yaml:"recall,omitempty"`
	// Connections bounds the logged-in connections to each node; the default is
	// the node's own bound.
	Connections int `yaml:"connections,omitempty"`
	// Devices of a user that may be logged in at the same time: 1, the default, to
	// 10. Above, the earliest has to go.
	Devices int `yaml:"devices,omitempty"`
}

// The bounds of limits. A body travels whole in every push and between nodes,
// so it may not grow at will; a dedupe window shorter than a client's longest
// retry would let duplicates through.
const (
	maxBodyBytes     = 64 << 10
	maxExtendedBytes = 16 << 10
	minDedupeAge     = time.Minute
	maxDedupeAge     = 90 * 24 * time.Hour
	maxDedupeMessage = 1_000_000
	maxRecall        = 24 * time.Hour
)

// Chat gives the limits with the defaults filled in.
func (l Limits) Chat() chat.Limits {
	out := chat.DefaultLimits()
	replace(&out.TextBytes, l.TextBytes)
	replace(&out.CustomBytes, l.CustomBytes)
	replace(&out.CommandBytes, l.CommandBytes)
	replace(&out.ExtendedDataBytes, l.ExtendedDataBytes)
	replace(&out.SearchedBytes, l.SearchedBytes)
	replace(&out.Dedupe.Age, l.DedupeAge)
	replace(&out.Dedupe.Messages, l.DedupeMessages)
	replace(&out.Recall, l.Recall)
	replace(&out.Connections, l.Connections)
	replace(&out.Devices, l.Devices)
	return out
}

func replace[T comparable](to *T, value T) {
	var zero T
	if value != zero {
		*to = value
	}
}
