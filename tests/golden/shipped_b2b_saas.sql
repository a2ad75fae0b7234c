WITH "people who may be released" AS (
  SELECT
    "leads"."lead",
    "leads"."rescore_quarantine_released"
  FROM "leads"
), "released" AS (
  SELECT
    "people who may be released"."lead"
  FROM "people who may be released"
  WHERE
    "people who may be released"."rescore_quarantine_released"
), "watched" AS (
  SELECT
    "activities"."activity_id",
    "activities"."asset",
    "activities"."asset__folded",
    "activities"."asset__words",
    "activities"."channel",
    "activities"."channel__folded",
    "activities"."channel__words",
    "activities"."known_at",
    "activities"."lead",
    "activities"."occurred_at",
    "activities"."source",
    "activities"."type",
    "activities"."value"
  FROM "activities"
  WHERE
    "activities"."type" = 'email_click'
    AND "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "matched" AS (
  SELECT
    "watched".*,
    COALESCE(
      "watched"."type" = 'email_click'
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: every_link_at_once matches",
    COUNT(
      DISTINCT CASE
        WHEN "watched"."type" = 'email_click'
        AND NOT "watched"."lead" IN (
          SELECT
            "lead"
          FROM "released"
        )
        THEN "watched"."asset__folded"
      END
    ) OVER (
      PARTITION BY "watched"."lead"
      ORDER BY "watched"."occurred_at"
      RANGE BETWEEN CURRENT ROW AND INTERVAL '10' SECONDS FOLLOWING
    ) AS "quarantine: every_link_at_once count"
  FROM "watched"
), "judged" AS (
  SELECT
    "matched".*,
    "matched"."quarantine: every_link_at_once matches"
    AND MAX("matched"."quarantine: every_link_at_once count") OVER (
      PARTITION BY "matched"."lead"
      ORDER BY "matched"."occurred_at"
      RANGE BETWEEN INTERVAL '10' SECONDS PRECEDING AND CURRENT ROW
    ) >= 4 AS "quarantine: every_link_at_once takes"
  FROM "matched"
), "left" AS (
  SELECT
    "activities"."activity_id",
    "activities"."asset",
    "activities"."asset__folded",
    "activities"."asset__words",
    "activities"."channel",
    "activities"."channel__folded",
    "activities"."channel__words",
    "activities"."known_at",
    "activities"."lead",
    "activities"."occurred_at",
    "activities"."source",
    "activities"."type",
    "activities"."value"
  FROM "activities"
  WHERE
    NOT "activities"."type" = 'email_click'
  UNION ALL
  SELECT
    "judged"."activity_id",
    "judged"."asset",
    "judged"."asset__folded",
    "judged"."asset__words",
    "judged"."channel",
    "judged"."channel__folded",
    "judged"."channel__words",
    "judged"."known_at",
    "judged"."lead",
    "judged"."occurred_at",
    "judged"."source",
    "judged"."type",
    "judged"."value"
  FROM "judged"
  WHERE
    NOT "judged"."quarantine: every_link_at_once takes"
), "worth" AS (
  SELECT
    "age in days",
    COALESCE("worth_0", 0) AS "worth_0",
    COALESCE("worth_1", 0) AS "worth_1",
    COALESCE("worth_2", 0) AS "worth_2",
    COALESCE("worth_3", 0) AS "worth_3",
    COALESCE("worth_4", 0) AS "worth_4",
    COALESCE("worth_5", 0) AS "worth_5",
    COALESCE("worth_6", 0) AS "worth_6",
    COALESCE("worth_7", 0) AS "worth_7",
    COALESCE("worth_8", 0) AS "worth_8",
    COALESCE("worth_9", 0) AS "worth_9",
    COALESCE("worth_10", 0) AS "worth_10",
    COALESCE("worth_11", 0) AS "worth_11",
    COALESCE("worth_12", 0) AS "worth_12"
  FROM (
    SELECT
      UNNEST(RANGE(460)) AS "age in days",
      UNNEST(
        CAST('[5000, 4758, 4529, 4310, 4102, 3904, 3715, 3536, 3365, 3202, 3048, 2900, 2760, 2627, 2500, 2379, 2264, 2155, 2051, 1952, 1857, 1768, 1682, 1601, 1524, 1450, 1380, 1313, 1250, 1190, 1132, 1077, 1025, 976, 929, 884, 841, 801, 762, 725, 690, 657, 625, 595, 566, 539, 513, 488, 464, 442, 421, 400, 381, 363, 345, 328, 313, 297, 283, 269, 256, 244, 232, 221, 210, 200, 190, 181, 173, 164, 156, 149, 142, 135, 128, 122, 116, 110, 105, 100, 95, 91, 86, 82, 78, 74, 71, 67, 64, 61, 58, 55, 53, 50, 48, 45, 43, 41, 39, 37, 35, 34, 32, 30, 29, 28, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 15, 14, 13, 13, 12, 11, 11, 10, 10, 9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_0",
      UNNEST(
        CAST('[6000, 5710, 5434, 5172, 4922, 4684, 4458, 4243, 4038, 3843, 3657, 3480, 3312, 3152, 3000, 2855, 2717, 2586, 2461, 2342, 2229, 2121, 2019, 1921, 1829, 1740, 1656, 1576, 1500, 1428, 1359, 1293, 1231, 1171, 1114, 1061, 1009, 961, 914, 870, 828, 788, 750, 714, 679, 646, 615, 586, 557, 530, 505, 480, 457, 435, 414, 394, 375, 357, 340, 323, 308, 293, 279, 265, 252, 240, 229, 218, 207, 197, 188, 178, 170, 162, 154, 146, 139, 133, 126, 120, 114, 109, 104, 99, 94, 89, 85, 81, 77, 73, 70, 66, 63, 60, 57, 54, 52, 49, 47, 45, 42, 40, 38, 37, 35, 33, 32, 30, 29, 27, 26, 25, 23, 22, 21, 20, 19, 18, 17, 17, 16, 15, 14, 14, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 8, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_1",
      UNNEST(
        CAST('[2000, 1903, 1811, 1724, 1641, 1561, 1486, 1414, 1346, 1281, 1219, 1160, 1104, 1051, 1000, 952, 906, 862, 820, 781, 743, 707, 673, 640, 610, 580, 552, 525, 500, 476, 453, 431, 410, 390, 371, 354, 336, 320, 305, 290, 276, 263, 250, 238, 226, 215, 205, 195, 186, 177, 168, 160, 152, 145, 138, 131, 125, 119, 113, 108, 103, 98, 93, 88, 84, 80, 76, 73, 69, 66, 63, 59, 57, 54, 51, 49, 46, 44, 42, 40, 38, 36, 35, 33, 31, 30, 28, 27, 26, 24, 23, 22, 21, 20, 19, 18, 17, 16, 16, 15, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_2",
      UNNEST(
        CAST('[-5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, -5000, 0]' AS INT[])
      ) AS "worth_3",
      UNNEST(
        CAST('[40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 40000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 20000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 0]' AS INT[])
      ) AS "worth_4",
      UNNEST(
        CAST('[20000, 19543, 19097, 18661, 18234, 17818, 17411, 17013, 16625, 16245, 15874, 15511, 15157, 14811, 14473, 14142, 13819, 13503, 13195, 12894, 12599, 12311, 12030, 11755, 11487, 11225, 10968, 10718, 10473, 10234, 10000, 9772, 9548, 9330, 9117, 8909, 8706, 8507, 8312, 8123, 7937, 7756, 7579, 7405, 7236, 7071, 6910, 6752, 6598, 6447, 6300, 6156, 6015, 5878, 5743, 5612, 5484, 5359, 5236, 5117, 5000, 4886, 4774, 4665, 4559, 4454, 4353, 4253, 4156, 4061, 3969, 3878, 3789, 3703, 3618, 3536, 3455, 3376, 3299, 3223, 3150, 3078, 3008, 2939, 2872, 2806, 2742, 2679, 2618, 2558, 2500, 2443, 2387, 2333, 2279, 2227, 2176, 2127, 2078, 2031, 1984, 1939, 1895, 1851, 1809, 1768, 1727, 1688, 1649, 1612, 1575, 1539, 1504, 1469, 1436, 1403, 1371, 1340, 1309, 1279, 1250, 1221, 1194, 1166, 1140, 1114, 1088, 1063, 1039, 1015, 992, 969, 947, 926, 905, 884, 864, 844, 825, 806, 787, 769, 752, 735, 718, 702, 686, 670, 655, 640, 625, 611, 597, 583, 570, 557, 544, 532, 520, 508, 496, 485, 474, 463, 452, 442, 432, 422, 412, 403, 394, 385, 376, 367, 359, 351, 343, 335, 327, 320, 313, 305, 298, 292, 285, 278, 272, 266, 260, 254, 248, 242, 237, 231, 226, 221, 216, 211, 206, 201, 197, 192, 188, 184, 179, 175, 171, 167, 164, 160, 156, 153, 149, 146, 142, 139, 136, 133, 130, 127, 124, 121, 118, 116, 113, 110, 108, 105, 103, 101, 98, 96, 94, 92, 90, 88, 86, 84, 82, 80, 78, 76, 75, 73, 71, 70, 68, 66, 65, 63, 62, 61, 59, 58, 57, 55, 54, 53, 52, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 36, 35, 34, 33, 32, 32, 31, 30, 30, 29, 28, 28, 27, 26, 26, 25, 25, 24, 23, 23, 22, 22, 21, 21, 20, 20, 20, 19, 19, 18, 18, 17, 17, 17, 16, 16, 16, 15, 15, 14, 14, 14, 13, 13, 13, 13, 12, 12, 12, 11, 11, 11, 11, 10, 10, 10, 10, 10, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_5",
      UNNEST(
        CAST('[6000, 5863, 5729, 5598, 5470, 5345, 5223, 5104, 4987, 4874, 4762, 4653, 4547, 4443, 4342, 4243, 4146, 4051, 3959, 3868, 3780, 3693, 3609, 3527, 3446, 3367, 3290, 3215, 3142, 3070, 3000, 2931, 2865, 2799, 2735, 2673, 2612, 2552, 2494, 2437, 2381, 2327, 2274, 2222, 2171, 2121, 2073, 2026, 1979, 1934, 1890, 1847, 1805, 1763, 1723, 1684, 1645, 1608, 1571, 1535, 1500, 1466, 1432, 1400, 1368, 1336, 1306, 1276, 1247, 1218, 1191, 1163, 1137, 1111, 1085, 1061, 1036, 1013, 990, 967, 945, 923, 902, 882, 862, 842, 823, 804, 785, 768, 750, 733, 716, 700, 684, 668, 653, 638, 623, 609, 595, 582, 568, 555, 543, 530, 518, 506, 495, 484, 472, 462, 451, 441, 431, 421, 411, 402, 393, 384, 375, 366, 358, 350, 342, 334, 326, 319, 312, 305, 298, 291, 284, 278, 271, 265, 259, 253, 247, 242, 236, 231, 226, 220, 215, 210, 206, 201, 196, 192, 188, 183, 179, 175, 171, 167, 163, 160, 156, 152, 149, 145, 142, 139, 136, 133, 130, 127, 124, 121, 118, 115, 113, 110, 108, 105, 103, 100, 98, 96, 94, 92, 90, 87, 85, 84, 82, 80, 78, 76, 74, 73, 71, 69, 68, 66, 65, 63, 62, 60, 59, 58, 56, 55, 54, 53, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 36, 35, 34, 33, 32, 32, 31, 30, 30, 29, 28, 28, 27, 26, 26, 25, 25, 24, 23, 23, 22, 22, 21, 21, 20, 20, 19, 19, 19, 18, 18, 17, 17, 17, 16, 16, 15, 15, 15, 14, 14, 14, 13, 13, 13, 13, 12, 12, 12, 11, 11, 11, 11, 10, 10, 10, 10, 10, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_6",
      UNNEST(
        CAST('[500, 483, 467, 450, 433, 417, 400, 383, 367, 350, 333, 317, 300, 283, 267, 250, 233, 217, 200, 183, 167, 150, 133, 117, 100, 83, 67, 50, 33, 17, 0]' AS INT[])
      ) AS "worth_7",
      UNNEST(
        CAST('[3000, 2950, 2900, 2850, 2800, 2750, 2700, 2650, 2600, 2550, 2500, 2450, 2400, 2350, 2300, 2250, 2200, 2150, 2100, 2050, 2000, 1950, 1900, 1850, 1800, 1750, 1700, 1650, 1600, 1550, 1500, 1450, 1400, 1350, 1300, 1250, 1200, 1150, 1100, 1050, 1000, 950, 900, 850, 800, 750, 700, 650, 600, 550, 500, 450, 400, 350, 300, 250, 200, 150, 100, 50, 0]' AS INT[])
      ) AS "worth_8",
      UNNEST(
        CAST('[10000, 9675, 9361, 9057, 8763, 8479, 8203, 7937, 7679, 7430, 7189, 6955, 6730, 6511, 6300, 6095, 5897, 5706, 5520, 5341, 5168, 5000, 4838, 4681, 4529, 4382, 4239, 4102, 3969, 3840, 3715, 3594, 3478, 3365, 3256, 3150, 3048, 2949, 2853, 2760, 2671, 2584, 2500, 2419, 2340, 2264, 2191, 2120, 2051, 1984, 1920, 1857, 1797, 1739, 1682, 1628, 1575, 1524, 1474, 1426, 1380, 1335, 1292, 1250, 1209, 1170, 1132, 1095, 1060, 1025, 992, 960, 929, 899, 869, 841, 814, 787, 762, 737, 713, 690, 668, 646, 625, 605, 585, 566, 548, 530, 513, 496, 480, 464, 449, 435, 421, 407, 394, 381, 369, 357, 345, 334, 323, 313, 302, 293, 283, 274, 265, 256, 248, 240, 232, 225, 217, 210, 203, 197, 190, 184, 178, 173, 167, 161, 156, 151, 146, 142, 137, 132, 128, 124, 120, 116, 112, 109, 105, 102, 98, 95, 92, 89, 86, 83, 81, 78, 76, 73, 71, 68, 66, 64, 62, 60, 58, 56, 54, 53, 51, 49, 48, 46, 45, 43, 42, 40, 39, 38, 37, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 25, 24, 23, 22, 22, 21, 20, 20, 19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 12, 11, 11, 10, 10, 10, 9, 9, 9, 9, 8, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_9",
      UNNEST(
        CAST('[8000, 7740, 7489, 7246, 7011, 6783, 6563, 6350, 6143, 5944, 5751, 5564, 5384, 5209, 5040, 4876, 4718, 4565, 4416, 4273, 4134, 4000, 3870, 3744, 3623, 3505, 3391, 3281, 3175, 3072, 2972, 2875, 2782, 2692, 2604, 2520, 2438, 2359, 2282, 2208, 2136, 2067, 2000, 1935, 1872, 1811, 1753, 1696, 1641, 1587, 1536, 1486, 1438, 1391, 1346, 1302, 1260, 1219, 1179, 1141, 1104, 1068, 1034, 1000, 968, 936, 906, 876, 848, 820, 794, 768, 743, 719, 696, 673, 651, 630, 610, 590, 571, 552, 534, 517, 500, 484, 468, 453, 438, 424, 410, 397, 384, 371, 359, 348, 336, 326, 315, 305, 295, 285, 276, 267, 258, 250, 242, 234, 226, 219, 212, 205, 198, 192, 186, 180, 174, 168, 163, 157, 152, 147, 143, 138, 134, 129, 125, 121, 117, 113, 110, 106, 103, 99, 96, 93, 90, 87, 84, 81, 79, 76, 74, 71, 69, 67, 65, 63, 60, 59, 57, 55, 53, 51, 50, 48, 46, 45, 43, 42, 41, 39, 38, 37, 36, 35, 33, 32, 31, 30, 29, 28, 27, 26, 26, 25, 24, 23, 22, 22, 21, 20, 20, 19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 12, 11, 11, 11, 10, 10, 10, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_10",
      UNNEST(
        CAST('[12000, 11610, 11233, 10869, 10516, 10174, 9844, 9524, 9215, 8916, 8626, 8346, 8075, 7813, 7560, 7314, 7077, 6847, 6625, 6409, 6201, 6000, 5805, 5617, 5434, 5258, 5087, 4922, 4762, 4608, 4458, 4313, 4173, 4038, 3907, 3780, 3657, 3538, 3423, 3312, 3205, 3101, 3000, 2903, 2808, 2717, 2629, 2544, 2461, 2381, 2304, 2229, 2157, 2087, 2019, 1953, 1890, 1829, 1769, 1712, 1656, 1602, 1550, 1500, 1451, 1404, 1359, 1314, 1272, 1231, 1191, 1152, 1114, 1078, 1043, 1009, 977, 945, 914, 885, 856, 828, 801, 775, 750, 726, 702, 679, 657, 636, 615, 595, 576, 557, 539, 522, 505, 488, 472, 457, 442, 428, 414, 401, 388, 375, 363, 351, 340, 329, 318, 308, 298, 288, 279, 270, 261, 252, 244, 236, 229, 221, 214, 207, 200, 194, 188, 181, 176, 170, 164, 159, 154, 149, 144, 139, 135, 130, 126, 122, 118, 114, 111, 107, 104, 100, 97, 94, 91, 88, 85, 82, 79, 77, 74, 72, 70, 67, 65, 63, 61, 59, 57, 55, 53, 52, 50, 48, 47, 45, 44, 42, 41, 40, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 23, 22, 21, 21, 20, 19, 19, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 13, 12, 12, 11, 11, 11, 10, 10, 10, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_11",
      UNNEST(
        CAST('[-8000, -7822, -7644, -7467, -7289, -7111, -6933, -6756, -6578, -6400, -6222, -6044, -5867, -5689, -5511, -5333, -5156, -4978, -4800, -4622, -4444, -4267, -4089, -3911, -3733, -3556, -3378, -3200, -3022, -2844, -2667, -2489, -2311, -2133, -1956, -1778, -1600, -1422, -1244, -1067, -889, -711, -533, -356, -178, 0]' AS INT[])
      ) AS "worth_12"
  ) AS tables
), "aged" AS (
  SELECT
    "left"."asset__folded",
    "left"."asset__words",
    "left"."lead",
    "left"."type",
    CAST('2026-11-01' AS DATE) - CAST(MAKE_TIMESTAMP(
      EPOCH_US("left"."occurred_at") + CASE
        WHEN "left"."occurred_at" >= CAST('2026-10-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2026-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2025-10-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2025-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2024-10-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2024-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2023-10-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2023-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2022-10-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2022-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2021-10-31 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2021-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2020-10-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2020-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2019-10-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2019-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2018-10-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2018-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2017-10-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2017-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2016-10-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2016-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2015-10-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2015-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2014-10-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2014-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2013-10-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2013-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2012-10-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2012-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2011-10-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2011-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2010-10-31 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2010-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2009-10-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2009-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2008-10-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2008-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2007-10-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2007-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2006-10-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2006-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2005-10-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2005-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2004-10-31 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2004-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2003-10-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2003-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2002-10-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2002-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2001-10-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2001-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('2000-10-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('2000-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1999-10-31 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1999-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1998-10-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1998-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1997-10-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1997-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1996-10-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1996-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1995-09-24 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1995-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1994-09-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1994-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1993-09-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1993-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1992-09-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1992-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1991-09-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1991-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1990-09-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1990-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1989-09-24 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1989-03-26 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1988-09-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1988-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1987-09-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1987-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1986-09-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1986-03-30 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1985-09-29 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1985-03-31 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1984-09-30 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1984-03-25 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1983-09-25 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1983-03-27 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1982-09-26 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1982-03-28 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1981-09-27 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1981-03-29 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        WHEN "left"."occurred_at" >= CAST('1980-09-28 01:00:00' AS TIMESTAMP)
        THEN 3600000000
        WHEN "left"."occurred_at" >= CAST('1980-04-06 01:00:00' AS TIMESTAMP)
        THEN 7200000000
        ELSE 3600000000
      END
    ) AS DATE) AS "age in days"
  FROM "left"
  WHERE
    "left"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    LIST_SUM(
      MAX(
        CASE
          WHEN "aged"."type" = 'page_view' AND STARTS_WITH("aged"."asset__folded", '/pricing')
          THEN "worth"."worth_0"
        END,
        6
      )
    ) AS "pricing_page",
    LIST_SUM(
      MAX(
        CASE
          WHEN "aged"."type" = 'page_view' AND STARTS_WITH("aged"."asset__folded", '/demo')
          THEN "worth"."worth_1"
        END,
        4
      )
    ) AS "demo_page",
    SUM(
      CASE
        WHEN "aged"."type" = 'page_view' AND STARTS_WITH("aged"."asset__folded", '/careers')
        THEN "worth"."worth_3"
      END
    ) AS "careers_page",
    MAX(
      CASE
        WHEN "aged"."type" = 'form_submit' AND CONTAINS("aged"."asset__words", ' demo ')
        THEN "worth"."worth_4"
      END
    ) AS "demo_request",
    MAX(
      CASE
        WHEN "aged"."type" = 'form_submit' AND CONTAINS("aged"."asset__words", ' contact ')
        THEN "worth"."worth_5"
      END
    ) AS "contact_request",
    LIST_SUM(
      MAX(
        CASE
          WHEN "aged"."type" = 'form_submit'
          AND (
            CONTAINS("aged"."asset__words", ' guide ')
            OR CONTAINS("aged"."asset__words", ' webinar ')
            OR CONTAINS("aged"."asset__words", ' whitepaper ')
          )
          THEN "worth"."worth_6"
        END,
        4
      )
    ) AS "content",
    COUNT(
      CASE
        WHEN "aged"."type" = 'form_submit' AND CONTAINS("aged"."asset__words", ' newsletter ')
        THEN 1
      END
    ) AS "newsletter",
    LIST_SUM(MAX(CASE WHEN "aged"."type" = 'email_open' THEN "worth"."worth_7" END, 4)) AS "email_open",
    LIST_SUM(MAX(CASE WHEN "aged"."type" = 'email_click' THEN "worth"."worth_8" END, 5)) AS "email_click",
    LIST_SUM(MAX(CASE WHEN "aged"."type" = 'email_reply' THEN "worth"."worth_9" END, 3)) AS "email_reply",
    LIST_SUM(
      MAX(
        CASE
          WHEN "aged"."type" = 'call' AND CAST(NULL AS TEXT) = 'connected'
          THEN "worth"."worth_10"
        END,
        3
      )
    ) AS "call_connected",
    LIST_SUM(
      MAX(
        CASE
          WHEN "aged"."type" = 'meeting' AND CAST(NULL AS TEXT) = 'completed'
          THEN "worth"."worth_11"
        END,
        3
      )
    ) AS "meeting_held",
    SUM(
      CASE
        WHEN "aged"."type" = 'meeting' AND CAST(NULL AS TEXT) IN ('no_show', 'canceled')
        THEN "worth"."worth_12"
      END
    ) AS "meeting_missed",
    BIT_COUNT(
      BIT_OR(
        CASE
          WHEN "aged"."type" IN ('page_view', 'email_click', 'form_submit')
          AND "aged"."age in days" < 7
          THEN CAST(1 AS BIGINT) << (
            "aged"."age in days" + 1
          )
        END
      )
    ) AS "active_week",
    COUNT(
      DISTINCT CASE
        WHEN "aged"."type" = 'page_view' AND "aged"."age in days" < 30
        THEN "aged"."asset__folded"
      END
    ) AS "broad_interest",
    MIN(
      CASE
        WHEN "aged"."type" IN ('page_view', 'email_click', 'form_submit', 'email_reply', 'call', 'meeting')
        THEN "aged"."age in days"
      END
    ) AS "gone_quiet"
  FROM "aged"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 459), 0)
  GROUP BY
    "aged"."lead"
), "per_day" AS (
  SELECT
    "aged"."lead",
    "aged"."age in days",
    COUNT(
      CASE
        WHEN "aged"."type" = 'page_view'
        AND (
          STARTS_WITH("aged"."asset__folded", '/product')
          OR STARTS_WITH("aged"."asset__folded", '/integrations')
          OR STARTS_WITH("aged"."asset__folded", '/customers')
          OR STARTS_WITH("aged"."asset__folded", '/docs')
        )
        THEN 1
      END
    ) AS "product_pages"
  FROM "aged"
  GROUP BY
    "aged"."lead",
    "aged"."age in days"
), "per_day_sums" AS (
  SELECT
    "per_day"."lead",
    SUM(LEAST("per_day"."product_pages", 3) * "worth"."worth_2") AS "product_pages"
  FROM "per_day"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("per_day"."age in days", 459), 0)
  GROUP BY
    "per_day"."lead"
), "profiles" AS (
  SELECT
    "leads"."job_title__words",
    "leads"."lead",
    "leads"."lifecycle_stage__folded"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."pricing_page", 0) AS BIGINT) AS "pricing_page",
    CAST(COALESCE("per_lead"."demo_page", 0) AS BIGINT) AS "demo_page",
    CAST(COALESCE("per_day_sums"."product_pages", 0) AS BIGINT) AS "product_pages",
    CAST(GREATEST(LEAST(COALESCE("per_lead"."careers_page", 0), 10000), -10000) AS BIGINT) AS "careers_page",
    CAST(COALESCE("per_lead"."demo_request", 0) AS BIGINT) AS "demo_request",
    CAST(COALESCE("per_lead"."contact_request", 0) AS BIGINT) AS "contact_request",
    CAST(COALESCE("per_lead"."content", 0) AS BIGINT) AS "content",
    CAST(LEAST(COALESCE("per_lead"."newsletter", 0), 1) * 3000 AS BIGINT) AS "newsletter",
    CAST(COALESCE("per_lead"."email_open", 0) AS BIGINT) AS "email_open",
    CAST(COALESCE("per_lead"."email_click", 0) AS BIGINT) AS "email_click",
    CAST(COALESCE("per_lead"."email_reply", 0) AS BIGINT) AS "email_reply",
    CAST(COALESCE("per_lead"."call_connected", 0) AS BIGINT) AS "call_connected",
    CAST(COALESCE("per_lead"."meeting_held", 0) AS BIGINT) AS "meeting_held",
    CAST(GREATEST(LEAST(COALESCE("per_lead"."meeting_missed", 0), 16000), -16000) AS BIGINT) AS "meeting_missed",
    CAST(CASE WHEN "per_lead"."active_week" >= 3 THEN 10000 ELSE 0 END AS BIGINT) AS "active_week",
    CAST(CASE WHEN "per_lead"."broad_interest" >= 5 THEN 5000 ELSE 0 END AS BIGINT) AS "broad_interest",
    CAST(CASE WHEN "per_lead"."gone_quiet" >= 45 THEN -15000 ELSE 0 END AS BIGINT) AS "gone_quiet",
    CAST(CASE WHEN CAST(NULL AS BOOLEAN) = TRUE THEN -25000 ELSE 0 END AS BIGINT) AS "opted_out",
    CAST(CASE WHEN "profiles"."lifecycle_stage__folded" = 'other' THEN -60000 ELSE 0 END AS BIGINT) AS "deal_lost",
    CAST(COALESCE(
      CASE
        WHEN CONTAINS("profiles"."job_title__words", ' chief ')
        OR CONTAINS("profiles"."job_title__words", ' ceo ')
        OR CONTAINS("profiles"."job_title__words", ' cfo ')
        OR CONTAINS("profiles"."job_title__words", ' cto ')
        OR CONTAINS("profiles"."job_title__words", ' coo ')
        THEN 25000
        WHEN CONTAINS("profiles"."job_title__words", ' vp ')
        OR CONTAINS("profiles"."job_title__words", ' director ')
        OR CONTAINS("profiles"."job_title__words", ' head of ')
        THEN 15000
        WHEN CONTAINS("profiles"."job_title__words", ' manager ')
        OR CONTAINS("profiles"."job_title__words", ' lead ')
        THEN 5000
        WHEN CONTAINS("profiles"."job_title__words", ' intern ')
        OR CONTAINS("profiles"."job_title__words", ' student ')
        OR CONTAINS("profiles"."job_title__words", ' assistant ')
        THEN -30000
      END,
      0
    ) AS BIGINT) AS "seniority",
    CAST(COALESCE(
      CASE
        WHEN CONTAINS("profiles"."job_title__words", ' procurement ')
        OR CONTAINS("profiles"."job_title__words", ' sourcing ')
        OR CONTAINS("profiles"."job_title__words", ' purchasing ')
        THEN 15000
        WHEN CONTAINS("profiles"."job_title__words", ' finance ')
        OR CONTAINS("profiles"."job_title__words", ' cfo ')
        OR CONTAINS("profiles"."job_title__words", ' ap ')
        OR CONTAINS("profiles"."job_title__words", ' accounts payable ')
        THEN 10000
        WHEN CONTAINS("profiles"."job_title__words", ' it ')
        OR CONTAINS("profiles"."job_title__words", ' cto ')
        OR CONTAINS("profiles"."job_title__words", ' engineering ')
        THEN 5000
      END,
      0
    ) AS BIGINT) AS "department",
    CAST(COALESCE(
      CASE
        WHEN CAST(NULL AS DOUBLE) >= CAST('2000.0' AS DOUBLE)
        THEN 10000
        WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('500.0' AS DOUBLE) AND CAST('1999.0' AS DOUBLE)
        THEN 15000
        WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('200.0' AS DOUBLE) AND CAST('499.0' AS DOUBLE)
        THEN 5000
        WHEN CAST(NULL AS DOUBLE) < CAST('50.0' AS DOUBLE)
        THEN -20000
      END,
      0
    ) AS BIGINT) AS "company_size",
    CAST(CASE
      WHEN CONTAINS(' ' || LTRIM(CAST(NULL AS TEXT), '-') || ' ', ' machinery ')
      OR CONTAINS(' ' || LTRIM(CAST(NULL AS TEXT), '-') || ' ', ' logistics ')
      THEN 10000
      ELSE 0
    END AS BIGINT) AS "industry",
    CAST(CASE WHEN CAST(NULL AS TEXT) = 'partner_referral' THEN 5000 ELSE 0 END AS BIGINT) AS "partner_lead",
    CAST(CASE
      WHEN CONTAINS("profiles"."job_title__words", ' chief ')
      OR CONTAINS("profiles"."job_title__words", ' ceo ')
      OR CONTAINS("profiles"."job_title__words", ' cfo ')
      OR CONTAINS("profiles"."job_title__words", ' cto ')
      OR CONTAINS("profiles"."job_title__words", ' coo ')
      THEN 0
      WHEN CONTAINS("profiles"."job_title__words", ' vp ')
      OR CONTAINS("profiles"."job_title__words", ' director ')
      OR CONTAINS("profiles"."job_title__words", ' head of ')
      THEN 1
      WHEN CONTAINS("profiles"."job_title__words", ' manager ')
      OR CONTAINS("profiles"."job_title__words", ' lead ')
      THEN 2
      WHEN CONTAINS("profiles"."job_title__words", ' intern ')
      OR CONTAINS("profiles"."job_title__words", ' student ')
      OR CONTAINS("profiles"."job_title__words", ' assistant ')
      THEN 3
    END AS BIGINT) AS "seniority__choice",
    CAST(CASE
      WHEN CONTAINS("profiles"."job_title__words", ' procurement ')
      OR CONTAINS("profiles"."job_title__words", ' sourcing ')
      OR CONTAINS("profiles"."job_title__words", ' purchasing ')
      THEN 0
      WHEN CONTAINS("profiles"."job_title__words", ' finance ')
      OR CONTAINS("profiles"."job_title__words", ' cfo ')
      OR CONTAINS("profiles"."job_title__words", ' ap ')
      OR CONTAINS("profiles"."job_title__words", ' accounts payable ')
      THEN 1
      WHEN CONTAINS("profiles"."job_title__words", ' it ')
      OR CONTAINS("profiles"."job_title__words", ' cto ')
      OR CONTAINS("profiles"."job_title__words", ' engineering ')
      THEN 2
    END AS BIGINT) AS "department__choice",
    CAST(CASE
      WHEN CAST(NULL AS DOUBLE) >= CAST('2000.0' AS DOUBLE)
      THEN 0
      WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('500.0' AS DOUBLE) AND CAST('1999.0' AS DOUBLE)
      THEN 1
      WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('200.0' AS DOUBLE) AND CAST('499.0' AS DOUBLE)
      THEN 2
      WHEN CAST(NULL AS DOUBLE) < CAST('50.0' AS DOUBLE)
      THEN 3
    END AS BIGINT) AS "company_size__choice",
    COALESCE(
      NOT COALESCE("profiles"."lifecycle_stage__folded" IN ('customer', 'evangelist'), FALSE),
      FALSE
    ) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "per_day_sums"
    ON "per_day_sums"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    GREATEST(
      LEAST(
        "pricing_page" + "demo_page" + "product_pages" + "careers_page" + "demo_request" + "contact_request" + "content" + "newsletter" + "email_open" + "email_click" + "email_reply" + "call_connected" + "meeting_held" + "meeting_missed" + "active_week" + "broad_interest" + "gone_quiet" + "opted_out" + "deal_lost",
        120000
      ),
      0
    ) AS "engagement",
    GREATEST(
      LEAST("seniority" + "department" + "company_size" + "industry" + "partner_lead", 80000),
      -40000
    ) AS "fit"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN(GREATEST(LEAST("engagement" + "fit", 200000), 0)) * (
      (
        ABS(GREATEST(LEAST("engagement" + "fit", 200000), 0)) + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE
    WHEN "in audience"
    THEN CASE
      WHEN "total" >= 100
      THEN 'A'
      WHEN "total" >= 70
      THEN 'B'
      WHEN "total" >= 40
      THEN 'C'
      WHEN "total" >= 0
      THEN 'D'
    END
  END AS TEXT) AS "band",
  CAST(NULL AS TEXT) AS "grade",
  CAST(NULL AS TIMESTAMP) AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("fit") * (
      (
        ABS("fit") + 500
      ) // 1000
    )
  END AS BIGINT) AS "fit",
  "pricing_page",
  "demo_page",
  "product_pages",
  "careers_page",
  "demo_request",
  "contact_request",
  "content",
  "newsletter",
  "email_open",
  "email_click",
  "email_reply",
  "call_connected",
  "meeting_held",
  "meeting_missed",
  "active_week",
  "broad_interest",
  "gone_quiet",
  "opted_out",
  "deal_lost",
  "seniority",
  "department",
  "company_size",
  "industry",
  "partner_lead",
  "seniority__choice",
  "department__choice",
  "company_size__choice"
FROM "totalled"
