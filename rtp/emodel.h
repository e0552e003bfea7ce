/* SPDX-License-Identifier: BSD-3-Clause
 * What a listener thinks of an RTP stream: the E-model, ITU-T G.107 for narrowband and G.107.1 for
 * wideband codecs, from what is measured on the way (delay, loss) and what is known of the codec
 * (G.113). Everything that is not measured here (loudness, noise, echo) has the default of G.107
 * table 2. Narrowband streams are judged on the narrowband scale, wideband ones on the wideband
 * scale: 4.4 means "nothing to wish for" on each. */
#ifndef AGW_RTP_EMODEL_H
#define AGW_RTP_EMODEL_H

#include <stdbool.h>
#include <stdint.h>

/** A codec in the E-model. */
typedef struct agw_emodel_codec {
    const char *name; /* of the rtpmap */
    uint32_t clock_hz;
    uint32_t from_bps; /* this row holds from this bit rate on */
    bool wideband;
    uint8_t ie;       /* equipment impairment factor: without any loss */
    uint16_t bpl_x10; /* packet-loss robustness factor, times ten; receivers conceal losses */
    uint8_t delay_ms; /* a packet of 20 ms and the codec's look-ahead */
    bool predicts;    /* from what was before: a loss spoils what comes right behind it, too */
} agw_emodel_codec;

/** From mouth to ear. */
typedef struct agw_emodel_path {
    double delay_ms;     /* one way */
    double loss_percent; /* of packets, lost or too late */
    double burst_ratio;  /* G.107 section 3.6: 1 = losses are random, more = they come together */
} agw_emodel_path;

/** The row of a codec by the parts of its rtpmap (case does not matter).
 *
 * @param name         NULL: not known
 * @param bitrate_bps  of the audio; 0 = the codec's usual one
 * @return never NULL: a codec that nobody has measured counts as PCMA when its clock is 8000 Hz or
 *         not known (0), else as Opus. */
const agw_emodel_codec *agw_emodel_find(const char *name, uint32_t clock_hz, uint32_t bitrate_bps);

/** Delay of a stream, mouth to ear, in ms: half the round trip, the codec, and a jitter buffer of
 * twice the jitter, as far as that is not known better. */
double agw_emodel_delay_ms(const agw_emodel_codec *codec, uint32_t round_trip_us,
                           uint32_t jitter_us);

/** Burst ratio of losses that came in so many runs (G.107 section 3.6, two-state model), at least
 * 1; 1 while nothing is lost. */
double agw_emodel_burst_ratio(uint64_t received, uint64_t lost, uint64_t runs);

/** Transmission rating factor R, 0 to 100; a wideband codec's (0 to 129) is brought to the same
 * range. Never rises with delay, loss or burst ratio. */
double agw_emodel_r(const agw_emodel_codec *codec, const agw_emodel_path *path);

/** Mean opinion score of R, 1 to 4.5 (G.107 annex B). */
double agw_emodel_mos(double r);

#endif
