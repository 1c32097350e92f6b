// Made from proto/wire by scripts/protoc-gen-parley.mjs. Do not edit.

import type { GenFile } from '@bufbuild/protobuf/codegenv2';
import { file_wire_ref } from './ref_pb.js';
import { file_wire_message } from './message_pb.js';
import { file_wire_conversation } from './conversation_pb.js';
import { file_wire_error } from './error_pb.js';
import { file_wire_session } from './session_pb.js';
import { file_wire_user } from './user_pb.js';
import { file_wire_frame } from './frame_pb.js';
export * from './ref_pb.js';
export * from './message_pb.js';
export * from './conversation_pb.js';
export * from './error_pb.js';
export * from './session_pb.js';
export * from './user_pb.js';
export * from './frame_pb.js';

export const files: readonly GenFile[] = [file_wire_ref, file_wire_message, file_wire_conversation, file_wire_error, file_wire_session, file_wire_user, file_wire_frame];
