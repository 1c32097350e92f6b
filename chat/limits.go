package chat

import "time"

// Fixed bounds of identifiers and profiles, in bytes where nothing else is said; the sources are ZIM's
// published limits.
const (
	MaxUserIDBytes    = 32
	MaxUserNameBytes  = 256
	MaxAvatarURLBytes = 500
	MaxDeviceIDBytes  = 64
	MaxPlatformBytes  = 32
	MaxSubType        = 200
	MaxPriority       = 3
	MaxMentions       = 100
	MaxDevices        = 10
)

// Limits are one app's bounds on what its users send; sizes in bytes. Each is
// a config value with ZIM's newer published number as the default.
type Limits struct {
	TextBytes         int
	CustomBytes       int
	CommandBytes      int
	ExtendedDataBytes int
	SearchedBytes     int
	Dedupe            DedupeWindow
	Recall            time.Duration // how old a message may be that is recalled
	// Connections bounds the app's logged-in connections to a node; 0: none.
	Connections int
	// Devices is how many devices of a user may be logged in at the same time.
	Devices int
}

// DedupeWindow is how long a client message id is remembered at least: for Age
// or for the last Messages of the conversation, whichever reaches back further.
type DedupeWindow struct {
	Age      time.Duration
	Messages uint64
}

// DefaultLimits are the limits of an app that sets none.
func DefaultLimits() Limits {
	return Limits{
		TextBytes:         32 << 10,
		CustomBytes:       32 << 10,
		CommandBytes:      5 << 10,
		ExtendedDataBytes: 1 << 10,
		SearchedBytes:     64,
		Dedupe:            DedupeWindow{Age: 7 * 24 * time.Hour, Messages: 10_000},
		Recall:            2 * time.Minute,
		Devices:           1,
	}
}

// MaxIssuedAhead is how far a client's issuedAt may lie ahead of the leader's
// clock.
const MaxIssuedAhead = 5 * time.Minute
