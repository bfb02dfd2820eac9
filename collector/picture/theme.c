// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/theme.h"

static const struct theme light = {
    .back = "FFFFFF",
    .canvas = "FFFFFF",
    .font = "3B4252",
    .grid = "00000010",
    .grid_major = "00000024",
    .axis = "8A93A3",
    .frame = "FFFFFF00",
    .deploy = "1447E6",
    .mark = "6B7280",
    .series = {"2A9D8F", "F4A261", "7C6FB0", "E9C46A", "C06C84", "8AB17D", "3D5A80", "F28482",
               "B5838D", "84A59D", "A1887F", "C9ADA7"},
};

static const struct theme dark = {
    .back = "14181F",
    .canvas = "14181F",
    .font = "C9D1DC",
    .grid = "FFFFFF10",
    .grid_major = "FFFFFF22",
    .axis = "6B7686",
    .frame = "14181F00",
    .deploy = "5B9DFF",
    .mark = "98A2B3",
    .series = {"2FA694", "E08E45", "8E7CC3", "D9B44A", "B8657F", "7FA86F", "4F7CAC", "D97A78",
               "A97B8B", "6F9A91", "94796D", "A78F8A"},
};

const struct theme *theme_of(bool is_dark)
{
    return is_dark ? &dark : &light;
}
