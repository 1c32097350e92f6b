// Package methodpb holds the generated types of what is said about a method of
// the client contract (proto/method/method.proto). Package method reads them.
package methodpb
