// Package check tells from a history whether the engine kept its promises. It
// is one pass over the events in memory that grows with the number of messages,
// a judgement at the end, and porcupine on a sample. It knows the engine from
// the history only. parley-chaos and tests call it; nothing blocks but the
// reader.
//
// # What each invariant means in events
//
// "Known" seqs of a conversation are those that an ok, a recv, a fetched, a
// head or an unread told so far.
//
//	I1  durability     the message of an ok stands in the log of every replica,
//	                   at the ok's seq; so does whatever a recv or fetched told.
//	I2  idempotence    all oks of a cmid have one seq; a cmid stands in a log once;
//	                   no retry is refused as another message (6009002).
//	I3  total order    logs run from base+1 without holes, as far as the longest,
//	                   and are equal: cmid, sender and hash; contents are as sent.
//	I4  prefix         the recvs of a login in a conversation go up; what they skip
//	                   was sent by the login itself. The first may skip what was
//	                   sent before the login.
//	I5  real time      a message's seq is above every seq known before its send.
//	I6  reads          a read (head, unread) tells at least what was known before
//	                   its call; a page holds what it claims to cover; a read mark
//	                   never runs back.
//	I7  no phantom     what a log, a recv or a fetched has was sent, to this
//	                   conversation, and was not refused in all its attempts.
//	I8  delivery       with no fault open, a recv comes within DeliverWithin of the
//	                   ok, of the last healed, and of the login, whichever is last;
//	                   who is online at final has all that is due.
//	I9  unread         an unread event's count is that of the log's entries of
//	                   others in (Read, Seq].
//	I11 auth           nothing called more than 30 s after the token's end, or 5 s
//	                   after its revocation, or with one that was never good,
//	                   succeeds; nothing sent then is received.
//	I12 tenants        no event of an app has another app's message or canary.
//	I13 availability   with no fault open, no conversation has attempts and none of
//	                   them acknowledged for longer than AvailableWithin, counted
//	                   from the last healed at the earliest.
//	I14 honesty        every refusal has a code, and not that of an internal error;
//	                   what breaks the protocol gets the answer that is due.
//
// LIN is porcupine's view of I5 and I6 together: the sampled conversations are
// linearizable logs with append and read. FAULT says that each fault's effect was
// seen before it was healed; it is about the run, not about the engine. I10,
// membership, needs groups.
//
// A refusal with 6009001, window passed, leaves open whether an earlier attempt
// was carried out: it counts as an unknown outcome.
package check
