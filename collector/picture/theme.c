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
    .faint = "6B7280",
    .halo = "FFFFFF90",
    .deploy = "1447E6",
    .mark = "6B7280",
    .series = {"2A9D8F", "F0964E", "7C6FB0", "DDB23E", "C4608A", "74A857", "3D5A80", "E5716B",
               "9C6B92", "5F9EA8", "8A6B5C", "A39B8B"},
};

static const struct theme dark = {
    .back = "14181F",
    .canvas = "14181F",
    .font = "C9D1DC",
    .grid = "FFFFFF10",
    .grid_major = "FFFFFF22",
    .axis = "6B7686",
    .frame = "14181F00",
    .faint = "98A2B3",
    .halo = "14181F90",
    .deploy = "6BA8FF",
    .mark = "98A2B3",
    .series = {"2FA694", "E08E45", "8E7CC3", "D9B44A", "C56A8C", "7FA86F", "5585B8", "D97A78",
               "A97BA0", "6AA0A8", "9B7C6C", "A79F90"},
};

const struct theme *theme_of(bool is_dark)
{
    return is_dark ? &dark : &light;
}
