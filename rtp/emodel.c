/* SPDX-License-Identifier: BSD-3-Clause
 * The E-model: G.107 (06/2015) section 7, G.107.1 (06/2019), G.113 appendices I and IV. */
#include "rtp/emodel.h"

#include <math.h>
#include <stddef.h>
#include <strings.h>

/* What sections 7.2 and 7.3 give for the default values of table 2, beside Id and Ie,eff. */
static const double RO = 94.769, IS = 1.414; /* basic signal-to-noise ratio, impairments with it */
static const double NO = -61.179;            /* sum of all noise, dBm0p */
static const double RLR = 2, TELR = 65, WEPL = 110;        /* loudness and echo of telephones */
static const double R_WIDEBAND = 129, R_NARROWBAND = 93.2; /* where nothing is wrong */
static const double WIDEBAND_SCALE = 1.29; /* G.107.1 section 6.2: to the range of the formula */
static const double IE_MAX = 95;           /* all is lost */

/* Rows of one codec follow each other, highest bit rate first; the first one with usual = true is
 * taken when the bit rate is not known.
 *
 * Where Ie and Bpl are from: G.711 with concealment 0 / 25.1, G.729 10 / 19.0 (Bpl of G.729A), AMR
 * 12.2 = GSM-EFR 5 / 10.0 and Ie of GSM 20 and IS-641 (AMR 7.4) 10 are G.113 appendix I; Ie of
 * G.722 (13, 20, 31) and AMR-WB are its appendix IV. They are as others quote them: the text of the
 * Recommendation was not at hand. Without a source, and ours: the AMR modes in between
 * (interpolated), Bpl of GSM (as of EFR) and of wideband codecs (small, as few have concealment
 * that hides much), iLBC, Speex, EVS, and Opus: G.113 has none of them. Opus stands where listeners
 * put it beside AMR-WB at equal bit rate, and bears losses nearly as G.711 with concealment does,
 * by the distances that bench/audio measures. Fullband (G.107.2) would give Opus from 28 kbit/s on
 * up to 148; here it ends where wideband does. Within a codec Bpl does not change which of two
 * streams is better. */
static const struct row {
    agw_emodel_codec codec;
    bool usual;
} ROWS[] = {
    {{"PCMA", 8000, 0, false, 0, 251, 20, false}, true},
    {{"PCMU", 8000, 0, false, 0, 251, 20, false}, true},
    {{"L16", 8000, 0, false, 0, 251, 20, false}, true},
    {{"G722", 8000, 64000, true, 13, 49, 22, true}, true},
    {{"G722", 8000, 56000, true, 20, 49, 22, true}, false},
    {{"G722", 8000, 0, true, 31, 49, 22, true}, false},
    {{"AMR", 8000, 12200, false, 5, 100, 25, true}, true},
    {{"AMR", 8000, 10200, false, 7, 100, 25, true}, false},
    {{"AMR", 8000, 7950, false, 9, 100, 25, true}, false},
    {{"AMR", 8000, 7400, false, 10, 100, 25, true}, false},
    {{"AMR", 8000, 6700, false, 13, 100, 25, true}, false},
    {{"AMR", 8000, 5900, false, 16, 100, 25, true}, false},
    {{"AMR", 8000, 5150, false, 20, 100, 25, true}, false},
    {{"AMR", 8000, 0, false, 22, 100, 25, true}, false},
    {{"AMR-WB", 16000, 23050, true, 1, 43, 26, true}, false},
    {{"AMR-WB", 16000, 19850, true, 3, 43, 26, true}, false},
    {{"AMR-WB", 16000, 18250, true, 5, 43, 26, true}, false},
    {{"AMR-WB", 16000, 15850, true, 7, 43, 26, true}, false},
    {{"AMR-WB", 16000, 14250, true, 10, 43, 26, true}, false},
    {{"AMR-WB", 16000, 12650, true, 13, 43, 26, true}, true},
    {{"AMR-WB", 16000, 8850, true, 26, 43, 26, true}, false},
    {{"AMR-WB", 16000, 0, true, 41, 43, 26, true}, false},
    {{"EVS", 16000, 13200, true, 5, 60, 32, true}, true},
    {{"EVS", 16000, 0, true, 16, 60, 32, true}, false},
    {{"opus", 48000, 28000, true, 1, 200, 27, false}, false},
    {{"opus", 48000, 20000, true, 5, 200, 27, false}, true},
    {{"opus", 48000, 14000, true, 12, 200, 27, false}, false},
    {{"opus", 48000, 10000, true, 24, 200, 27, false}, false},
    {{"opus", 48000, 0, true, 36, 200, 27, false}, false},
    {{"G729", 8000, 0, false, 10, 190, 25, true}, true},
    {{"GSM", 8000, 0, false, 20, 100, 20, true}, true},
    {{"iLBC", 8000, 0, false, 11, 320, 25, false}, true},
    {{"speex", 8000, 0, false, 11, 100, 30, true}, true},
    {{"speex", 16000, 0, true, 13, 60, 34, true}, true},
};

enum { N_ROWS = sizeof ROWS / sizeof ROWS[0] };

const agw_emodel_codec *agw_emodel_find(const char *name, uint32_t clock_hz, uint32_t bitrate_bps)
{
    for (size_t i = 0; i < N_ROWS && name != NULL; i++) {
        const agw_emodel_codec *c = &ROWS[i].codec;
        if (strcasecmp(c->name, name) != 0 || (clock_hz != 0 && c->clock_hz != clock_hz))
            continue;
        if (bitrate_bps == 0 ? ROWS[i].usual : bitrate_bps >= c->from_bps)
            return c;
    }
    if (clock_hz > 8000)
        return agw_emodel_find("opus", 48000, bitrate_bps);
    return &ROWS[0].codec;
}

double agw_emodel_delay_ms(const agw_emodel_codec *codec, uint32_t round_trip_us,
                           uint32_t jitter_us)
{
    return round_trip_us / 2e3 + 2 * (jitter_us / 1e3) + codec->delay_ms;
}

double agw_emodel_burst_ratio(uint64_t received, uint64_t lost, uint64_t runs)
{
    if (lost == 0 || runs == 0 || received == 0)
        return 1;
    const double begins = (double)runs / (double)received, ends = (double)runs / (double)lost;
    return fmax(1, 1 / (begins + ends));
}

/* Talker echo, formulas 7-18 to 7-22. Below 1 ms the formula would turn echo into a gain. */
static double talker_echo(double delay_ms)
{
    const double roe = -1.5 * (NO - RLR);
    const double terv = TELR - 40 * log10((1 + delay_ms / 10) / (1 + delay_ms / 150)) +
                        6 * exp(-0.3 * delay_ms * delay_ms);
    const double half = (roe - (80 + 2.5 * (terv - 14))) / 2;
    return fmax(0, (half + sqrt(half * half + 100) - 1) * (1 - exp(-delay_ms)));
}

/* Listener echo, formulas 7-25 and 7-26; its round trip is twice the delay. */
static double listener_echo(double delay_ms)
{
    const double half = (RO - 10.5 * (WEPL + 7) * pow(2 * delay_ms + 1, -0.25)) / 2;
    return half + sqrt(half * half + 169);
}

/* Delay as such, formulas 7-27 and 7-28. */
static double pure_delay(double delay_ms)
{
    if (delay_ms <= 100)
        return 0;
    const double x = log2(delay_ms / 100);
    return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/* Formula 7-29. */
static double equipment(const agw_emodel_codec *codec, const agw_emodel_path *path)
{
    const double loss = fmin(fmax(path->loss_percent, 0), 100);
    const double burst_ratio = fmax(path->burst_ratio, 1);
    return codec->ie + (IE_MAX - codec->ie) * loss / (loss / burst_ratio + codec->bpl_x10 / 10.0);
}

double agw_emodel_r(const agw_emodel_codec *codec, const agw_emodel_path *path)
{
    const double delay = fmax(path->delay_ms, 0);
    const double id = talker_echo(delay) + listener_echo(delay) + pure_delay(delay);
    const double ro = RO - IS + (codec->wideband ? R_WIDEBAND - R_NARROWBAND : 0);
    const double r = ro - id - equipment(codec, path);
    return fmin(fmax(codec->wideband ? r / WIDEBAND_SCALE : r, 0), 100);
}

double agw_emodel_mos(double r)
{
    if (r <= 0)
        return 1;
    if (r >= 100)
        return 4.5;
    return fmax(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
