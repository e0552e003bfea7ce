/* SPDX-License-Identifier: BSD-3-Clause
 * Every reason why a packet is not forwarded: one list, a counter and a name each. */
#ifndef AGW_AGW_DROP_H
#define AGW_AGW_DROP_H

/* name in code, name in statistics, what it means */
#define AGW_DROP_LIST(X)                                                                           \
    X(NONE, "none", "not dropped")                                                                 \
    X(OVERSIZE, "oversize", "datagram longer than the largest that is taken")                      \
    X(TOO_SHORT, "too-short", "shorter than the smallest header of its kind")                      \
    X(KIND, "unknown-kind", "first byte is none of STUN, DTLS, RTP, RTCP (RFC 7983)")              \
    X(NO_CALL, "no-call", "access port: no call has validated this source address")                \
    X(NO_PLAN, "no-plan", "STUN for a ufrag that is not known (yet)")                              \
    X(STUN_MALFORMED, "stun-malformed", "not a well-formed STUN message")                          \
    X(STUN_AUTH, "stun-auth", "wrong username, integrity or fingerprint")                          \
    X(STUN_REPLAY, "stun-replay", "authentic check seen before, from another address")             \
    X(STUN_UNEXPECTED, "stun-unexpected", "STUN message that nobody waits for")                    \
    X(STUN_RATE, "stun-rate", "more plain Binding requests than the STUN server answers")          \
    X(SOURCE_RATE, "source-rate", "more STUN without a proof than is taken from one address")      \
    X(DTLS_UNEXPECTED, "dtls-unexpected", "DTLS on a leg without DTLS, or before its answer")      \
    X(DTLS_FLOOD, "dtls-flood", "more DTLS datagrams than a handshake needs")                      \
    X(NO_KEYS, "no-keys", "SRTP before the handshake is complete")                                 \
    X(SRTP_AUTH, "srtp-auth", "SRTP authentication failed")                                        \
    X(SRTP_REPLAY, "srtp-replay", "SRTP packet seen before or too old")                            \
    X(SRTP_SSRC, "srtp-ssrc", "more SSRCs than one session may have")                              \
    X(RTP_MALFORMED, "rtp-malformed", "not a well-formed RTP packet")                              \
    X(RTCP_MALFORMED, "rtcp-malformed", "not a well-formed RTCP packet")                           \
    X(WRONG_PORT, "wrong-port", "RTP on the RTCP port or the reverse")                             \
    X(WRONG_SOURCE, "wrong-source", "core leg: not from the signalled address")                    \
    X(OTHER_BRANCH, "other-branch", "core leg: of a branch of the fork that is not heard (now)")   \
    X(GATE_CLOSED, "gate-closed", "this direction is closed by control")                           \
    X(BLOCKED, "blocked", "media of this party is blocked by command")                             \
    X(BLOCKED_DTMF, "blocked-dtmf", "telephone events of this party are blocked by command")       \
    X(PLAYING, "dtmf-playing", "audio that makes room for digits or a file that is played")        \
    X(POLICED, "policed", "more than this stream, or its RTCP, may send")                          \
    X(PT, "payload-type", "payload type that was not negotiated")                                  \
    X(PAYLOAD, "payload-malformed", "not a payload of its codec, or more than is taken")           \
    X(NO_CODEC, "no-codec", "a codec that cannot be made here")                                    \
    X(NO_MEDIA, "no-media", "belongs to no media of its transport")                                \
    X(OLD_SSRC, "old-ssrc", "late packet of an SSRC that has been replaced")                       \
    X(NO_DEST, "no-destination", "the other leg has no address or no keys yet")                    \
    X(NO_CONSENT, "no-consent", "the browser's consent to receive has expired")                    \
    X(PROTECT, "protect-failed", "SRTP could not be made, e.g. a duplicate")                       \
    X(NO_ROOM, "no-room", "RTCP for more medias than one batch has packets for")                   \
    X(RTCP_EMPTY, "rtcp-empty", "nothing in this RTCP packet concerns the other leg")              \
    X(SEND, "send-failed", "the system did not take the packet, or its connection has ended")      \
    X(TCP_FULL, "tcp-full", "a peer on TCP does not read what was sent before")

typedef enum agw_drop {
#define AGW_DROP_ENUM(name, text, meaning) AGW_DROP_##name,
    AGW_DROP_LIST(AGW_DROP_ENUM)
#undef AGW_DROP_ENUM
        AGW_DROP_COUNT
} agw_drop;

/** The name in statistics, e.g. "srtp-auth". */
const char *agw_drop_text(agw_drop reason);
/** One line for people. */
const char *agw_drop_meaning(agw_drop reason);

#endif
