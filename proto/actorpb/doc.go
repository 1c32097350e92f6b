// Package actorpb holds the generated types of what actors say to each other
// (proto/actor/actor.proto). They embed the wire's and the log's messages, so
// it needs no conversions of its own.
package actorpb
