import type { CallEvents, CallMethods } from './call/surface.js';
import type { ConversationEvents, ConversationMethods } from './conversation/surface.js';
import type { FriendEvents, FriendMethods } from './friend/surface.js';
import type { GroupEvents, GroupMethods } from './group/surface.js';
import type { MessageEvents, MessageMethods, OlderMessageMethods } from './message/surface.js';
import type { RoomEvents, RoomMethods } from './room/surface.js';
import type { SessionEvents, SessionMethods } from './session/surface.js';
import type { UserEvents, UserMethods } from './user/surface.js';

/** The methods of an instance, those apart that make and end it, log in and out, and listen. */
export interface Methods
  extends SessionMethods,
    UserMethods,
    ConversationMethods,
    MessageMethods,
    OlderMessageMethods,
    RoomMethods,
    GroupMethods,
    CallMethods,
    FriendMethods {}

/** The events of an instance, whose type is Z; each listener is given the instance first. */
export interface Events<Z>
  extends SessionEvents<Z>,
    UserEvents<Z>,
    ConversationEvents<Z>,
    MessageEvents<Z>,
    RoomEvents<Z>,
    GroupEvents<Z>,
    CallEvents<Z>,
    FriendEvents<Z> {}
