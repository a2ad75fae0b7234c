WITH "list free_mail" AS (
  SELECT
    UNNEST(
      STRING_SPLIT('126.com
139.com
163.com', '
')
    ) AS "value"
), "list disposable" AS (
  SELECT
    UNNEST(
      STRING_SPLIT(
        '0-mail.com
0-mailer.dynv6.net
000-webmail.myhome-server.de',
        '
'
      )
    ) AS "value"
), "list academic" AS (
  SELECT
    UNNEST(STRING_SPLIT('ac.ae
ac.at
ac.bd', '
')) AS "value"
), "of accounts" AS (
  WITH "people" AS (
    SELECT
      "leads"."account__folded",
      "leads"."lead"
    FROM "leads"
  ), "members" AS (
    SELECT
      "people"."lead",
      CASE
        WHEN NULLIF(TRIM("people"."account__folded", ' 	'), '') IS NULL
        THEN 'lead ' || "people"."lead"
        ELSE 'account ' || NULLIF(TRIM("people"."account__folded", ' 	'), '')
      END AS "account"
    FROM "people"
  ), "together" AS (
    SELECT
      "members"."account" AS "lead",
      "activities"."lead" AS "person of the account",
      "activities"."source",
      "activities"."activity_id",
      "activities"."type",
      "activities"."occurred_at",
      "activities"."known_at",
      "activities"."asset",
      "activities"."channel",
      "activities"."value",
      "activities"."asset__folded",
      "activities"."asset__words",
      "activities"."channel__folded",
      "activities"."channel__words"
    FROM "activities"
    JOIN "members"
      ON "members"."lead" = "activities"."lead"
  ), "aged" AS (
    SELECT
      "together"."lead",
      "together"."person of the account",
      "together"."type",
      CAST('2026-11-01' AS DATE) - CAST("together"."occurred_at" AS DATE) AS "age in days"
    FROM "together"
    WHERE
      "together"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
  ), "per_lead" AS (
    SELECT
      "aged"."lead",
      COUNT(
        DISTINCT CASE
          WHEN "aged"."type" = 'session' AND "aged"."age in days" < 30
          THEN "aged"."person of the account"
        END
      ) AS "company_team"
    FROM "aged"
    GROUP BY
      "aged"."lead"
  )
  SELECT
    "members"."lead",
    CAST(CASE WHEN "per_lead"."company_team" >= 3 THEN 10000 ELSE 0 END AS BIGINT) AS "company_team"
  FROM "members"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "members"."account"
), "restarting" AS (
  SELECT
    "activities"."lead",
    "activities"."occurred_at",
    "activities"."type"
  FROM "activities"
  WHERE
    "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "restarts" AS (
  SELECT
    "restarting"."lead",
    MAX("restarting"."occurred_at") AS "restarted_at"
  FROM "restarting"
  WHERE
    "restarting"."type" = 'handed_back'
  GROUP BY
    "restarting"."lead"
), "worth" AS (
  SELECT
    "age in days",
    COALESCE("worth_0", 0) AS "worth_0",
    COALESCE("worth_1", 0) AS "worth_1",
    COALESCE("worth_2", 0) AS "worth_2",
    COALESCE("worth_3", 0) AS "worth_3",
    COALESCE("worth_4", 0) AS "worth_4",
    COALESCE("worth_5", 0) AS "worth_5"
  FROM (
    SELECT
      UNNEST(RANGE(815)) AS "age in days",
      UNNEST(
        CAST('[6000, 5931, 5863, 5796, 5729, 5663, 5598, 5534, 5470, 5408, 5345, 5284, 5223, 5163, 5104, 5045, 4987, 4930, 4874, 4818, 4762, 4708, 4653, 4600, 4547, 4495, 4443, 4392, 4342, 4292, 4243, 4194, 4146, 4098, 4051, 4005, 3959, 3913, 3868, 3824, 3780, 3736, 3693, 3651, 3609, 3568, 3527, 3486, 3446, 3407, 3367, 3329, 3290, 3253, 3215, 3178, 3142, 3106, 3070, 3035, 3000, 2966, 2931, 2898, 2865, 2832, 2799, 2767, 2735, 2704, 2673, 2642, 2612, 2582, 2552, 2523, 2494, 2465, 2437, 2409, 2381, 2354, 2327, 2300, 2274, 2247, 2222, 2196, 2171, 2146, 2121, 2097, 2073, 2049, 2026, 2002, 1979, 1957, 1934, 1912, 1890, 1868, 1847, 1826, 1805, 1784, 1763, 1743, 1723, 1703, 1684, 1664, 1645, 1626, 1608, 1589, 1571, 1553, 1535, 1517, 1500, 1483, 1466, 1449, 1432, 1416, 1400, 1383, 1368, 1352, 1336, 1321, 1306, 1291, 1276, 1261, 1247, 1233, 1218, 1204, 1191, 1177, 1163, 1150, 1137, 1124, 1111, 1098, 1085, 1073, 1061, 1048, 1036, 1025, 1013, 1001, 990, 978, 967, 956, 945, 934, 923, 913, 902, 892, 882, 872, 862, 852, 842, 832, 823, 813, 804, 795, 785, 776, 768, 759, 750, 741, 733, 724, 716, 708, 700, 692, 684, 676, 668, 660, 653, 645, 638, 631, 623, 616, 609, 602, 595, 588, 582, 575, 568, 562, 555, 549, 543, 536, 530, 524, 518, 512, 506, 501, 495, 489, 484, 478, 472, 467, 462, 456, 451, 446, 441, 436, 431, 426, 421, 416, 411, 407, 402, 397, 393, 388, 384, 379, 375, 371, 366, 362, 358, 354, 350, 346, 342, 338, 334, 330, 326, 323, 319, 315, 312, 308, 305, 301, 298, 294, 291, 287, 284, 281, 278, 275, 271, 268, 265, 262, 259, 256, 253, 250, 247, 245, 242, 239, 236, 234, 231, 228, 226, 223, 220, 218, 215, 213, 210, 208, 206, 203, 201, 199, 196, 194, 192, 190, 188, 185, 183, 181, 179, 177, 175, 173, 171, 169, 167, 165, 163, 161, 160, 158, 156, 154, 152, 151, 149, 147, 145, 144, 142, 140, 139, 137, 136, 134, 133, 131, 130, 128, 127, 125, 124, 122, 121, 119, 118, 117, 115, 114, 113, 111, 110, 109, 108, 106, 105, 104, 103, 102, 100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90, 88, 87, 86, 85, 84, 84, 83, 82, 81, 80, 79, 78, 77, 76, 75, 74, 74, 73, 72, 71, 70, 69, 69, 68, 67, 66, 66, 65, 64, 63, 63, 62, 61, 60, 60, 59, 58, 58, 57, 56, 56, 55, 54, 54, 53, 53, 52, 51, 51, 50, 50, 49, 49, 48, 47, 47, 46, 46, 45, 45, 44, 44, 43, 43, 42, 42, 41, 41, 40, 40, 39, 39, 39, 38, 38, 37, 37, 36, 36, 36, 35, 35, 34, 34, 34, 33, 33, 32, 32, 32, 31, 31, 31, 30, 30, 30, 29, 29, 29, 28, 28, 28, 27, 27, 27, 26, 26, 26, 25, 25, 25, 25, 24, 24, 24, 23, 23, 23, 23, 22, 22, 22, 22, 21, 21, 21, 21, 20, 20, 20, 20, 19, 19, 19, 19, 19, 18, 18, 18, 18, 18, 17, 17, 17, 17, 17, 16, 16, 16, 16, 16, 15, 15, 15, 15, 15, 15, 14, 14, 14, 14, 14, 14, 13, 13, 13, 13, 13, 13, 13, 12, 12, 12, 12, 12, 12, 12, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_0",
      UNNEST(
        CAST('[1500, 1483, 1466, 1449, 1432, 1416, 1400, 1383, 1368, 1352, 1336, 1321, 1306, 1291, 1276, 1261, 1247, 1233, 1218, 1204, 1191, 1177, 1163, 1150, 1137, 1124, 1111, 1098, 1085, 1073, 1061, 1048, 1036, 1025, 1013, 1001, 990, 978, 967, 956, 945, 934, 923, 913, 902, 892, 882, 872, 862, 852, 842, 832, 823, 813, 804, 795, 785, 776, 768, 759, 750, 741, 733, 724, 716, 708, 700, 692, 684, 676, 668, 660, 653, 645, 638, 631, 623, 616, 609, 602, 595, 588, 582, 575, 568, 562, 555, 549, 543, 536, 530, 524, 518, 512, 506, 501, 495, 489, 484, 478, 472, 467, 462, 456, 451, 446, 441, 436, 431, 426, 421, 416, 411, 407, 402, 397, 393, 388, 384, 379, 375, 371, 366, 362, 358, 354, 350, 346, 342, 338, 334, 330, 326, 323, 319, 315, 312, 308, 305, 301, 298, 294, 291, 287, 284, 281, 278, 275, 271, 268, 265, 262, 259, 256, 253, 250, 247, 245, 242, 239, 236, 234, 231, 228, 226, 223, 220, 218, 215, 213, 210, 208, 206, 203, 201, 199, 196, 194, 192, 190, 188, 185, 183, 181, 179, 177, 175, 173, 171, 169, 167, 165, 163, 161, 160, 158, 156, 154, 152, 151, 149, 147, 145, 144, 142, 140, 139, 137, 136, 134, 133, 131, 130, 128, 127, 125, 124, 122, 121, 119, 118, 117, 115, 114, 113, 111, 110, 109, 108, 106, 105, 104, 103, 102, 100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90, 88, 87, 86, 85, 84, 84, 83, 82, 81, 80, 79, 78, 77, 76, 75, 74, 74, 73, 72, 71, 70, 69, 69, 68, 67, 66, 66, 65, 64, 63, 63, 62, 61, 60, 60, 59, 58, 58, 57, 56, 56, 55, 54, 54, 53, 53, 52, 51, 51, 50, 50, 49, 49, 48, 47, 47, 46, 46, 45, 45, 44, 44, 43, 43, 42, 42, 41, 41, 40, 40, 39, 39, 39, 38, 38, 37, 37, 36, 36, 36, 35, 35, 34, 34, 34, 33, 33, 32, 32, 32, 31, 31, 31, 30, 30, 30, 29, 29, 29, 28, 28, 28, 27, 27, 27, 26, 26, 26, 25, 25, 25, 25, 24, 24, 24, 23, 23, 23, 23, 22, 22, 22, 22, 21, 21, 21, 21, 20, 20, 20, 20, 19, 19, 19, 19, 19, 18, 18, 18, 18, 18, 17, 17, 17, 17, 17, 16, 16, 16, 16, 16, 15, 15, 15, 15, 15, 15, 14, 14, 14, 14, 14, 14, 13, 13, 13, 13, 13, 13, 13, 12, 12, 12, 12, 12, 12, 12, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_1",
      UNNEST(
        CAST('[12000, 11600, 11200, 10800, 10400, 10000, 9600, 9200, 8800, 8400, 8000, 7600, 7200, 6800, 6400, 6000, 5600, 5200, 4800, 4400, 4000, 3600, 3200, 2800, 2400, 2000, 1600, 1200, 800, 400, 0]' AS INT[])
      ) AS "worth_2",
      UNNEST(
        CAST('[3000, 2900, 2800, 2700, 2600, 2500, 2400, 2300, 2200, 2100, 2000, 1900, 1800, 1700, 1600, 1500, 1400, 1300, 1200, 1100, 1000, 900, 800, 700, 600, 500, 400, 300, 200, 100, 0]' AS INT[])
      ) AS "worth_3",
      UNNEST(
        CAST('[8000, 7614, 7246, 6896, 6563, 6246, 5944, 5657, 5384, 5124, 4876, 4641, 4416, 4203, 4000, 3807, 3623, 3448, 3281, 3123, 2972, 2828, 2692, 2562, 2438, 2320, 2208, 2102, 2000, 1903, 1811, 1724, 1641, 1561, 1486, 1414, 1346, 1281, 1219, 1160, 1104, 1051, 1000, 952, 906, 862, 820, 781, 743, 707, 673, 640, 610, 580, 552, 525, 500, 476, 453, 431, 410, 390, 371, 354, 336, 320, 305, 290, 276, 263, 250, 238, 226, 215, 205, 195, 186, 177, 168, 160, 152, 145, 138, 131, 125, 119, 113, 108, 103, 98, 93, 88, 84, 80, 76, 73, 69, 66, 63, 59, 57, 54, 51, 49, 46, 44, 42, 40, 38, 36, 35, 33, 31, 30, 28, 27, 26, 24, 23, 22, 21, 20, 19, 18, 17, 16, 16, 15, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_4",
      UNNEST(
        CAST('[2000, 1903, 1811, 1724, 1641, 1561, 1486, 1414, 1346, 1281, 1219, 1160, 1104, 1051, 1000, 952, 906, 862, 820, 781, 743, 707, 673, 640, 610, 580, 552, 525, 500, 476, 453, 431, 410, 390, 371, 354, 336, 320, 305, 290, 276, 263, 250, 238, 226, 215, 205, 195, 186, 177, 168, 160, 152, 145, 138, 131, 125, 119, 113, 108, 103, 98, 93, 88, 84, 80, 76, 73, 69, 66, 63, 59, 57, 54, 51, 49, 46, 44, 42, 40, 38, 36, 35, 33, 31, 30, 28, 27, 26, 24, 23, 22, 21, 20, 19, 18, 17, 16, 16, 15, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_5"
  ) AS tables
), "aged" AS (
  SELECT
    "activities"."asset__folded",
    "activities"."lead",
    "activities"."type",
    CAST('2026-11-01' AS DATE) - CAST("activities"."occurred_at" AS DATE) AS "age in days",
    COALESCE("activities"."occurred_at" < "restarts"."restarted_at", FALSE) AS "before restart"
  FROM "activities"
  LEFT JOIN "restarts"
    ON "restarts"."lead" = "activities"."lead"
  WHERE
    "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    MAX(
      (
        (
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" = 'sign_up'
              THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
            END IS NULL
            THEN (
              (
                "aged"."age in days" * 2
              ) + CAST("aged"."before restart" AS INT)
            )
          END
        ) * 1099511627776
      ) + CASE
        WHEN "aged"."type" = 'sign_up'
        THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
      END
    ) - (
      MAX(
        CASE
          WHEN NOT CASE
            WHEN "aged"."type" = 'sign_up'
            THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
          END IS NULL
          THEN (
            (
              "aged"."age in days" * 2
            ) + CAST("aged"."before restart" AS INT)
          )
        END
      ) * 1099511627776
    ) AS "signed_up",
    MAX(
      (
        (
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'data_connected'
              THEN CASE WHEN "aged"."before restart" THEN 3750 ELSE 15000 END
            END IS NULL
            THEN (
              (
                "aged"."age in days" * 2
              ) + CAST("aged"."before restart" AS INT)
            )
          END
        ) * 1099511627776
      ) + CASE
        WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'data_connected'
        THEN CASE WHEN "aged"."before restart" THEN 3750 ELSE 15000 END
      END
    ) - (
      MAX(
        CASE
          WHEN NOT CASE
            WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'data_connected'
            THEN CASE WHEN "aged"."before restart" THEN 3750 ELSE 15000 END
          END IS NULL
          THEN (
            (
              "aged"."age in days" * 2
            ) + CAST("aged"."before restart" AS INT)
          )
        END
      ) * 1099511627776
    ) AS "connected_data",
    MAX(
      (
        (
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'report_finished'
              THEN CASE WHEN "aged"."before restart" THEN 2500 ELSE 10000 END
            END IS NULL
            THEN (
              (
                "aged"."age in days" * 2
              ) + CAST("aged"."before restart" AS INT)
            )
          END
        ) * 1099511627776
      ) + CASE
        WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'report_finished'
        THEN CASE WHEN "aged"."before restart" THEN 2500 ELSE 10000 END
      END
    ) - (
      MAX(
        CASE
          WHEN NOT CASE
            WHEN "aged"."type" = 'milestone' AND "aged"."asset__folded" = 'report_finished'
            THEN CASE WHEN "aged"."before restart" THEN 2500 ELSE 10000 END
          END IS NULL
          THEN (
            (
              "aged"."age in days" * 2
            ) + CAST("aged"."before restart" AS INT)
          )
        END
      ) * 1099511627776
    ) AS "first_report",
    LIST_SUM(
      MIN(
        (
          (
            CASE
              WHEN NOT CASE
                WHEN "aged"."type" = 'seat_invited'
                THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
              END IS NULL
              THEN (
                (
                  "aged"."age in days" * 2
                ) + CAST("aged"."before restart" AS INT)
              )
            END
          ) * 1099511627776
        ) + CASE
          WHEN "aged"."type" = 'seat_invited'
          THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
        END,
        5
      )
    ) - (
      LIST_SUM(
        MIN(
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" = 'seat_invited'
              THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
            END IS NULL
            THEN (
              (
                "aged"."age in days" * 2
              ) + CAST("aged"."before restart" AS INT)
            )
          END,
          5
        )
      ) * 1099511627776
    ) AS "seat_invited",
    COUNT(
      DISTINCT CASE
        WHEN (
          "aged"."type" = 'session' AND NOT "aged"."before restart"
        )
        AND "aged"."age in days" < 14
        THEN "aged"."asset__folded"
      END
    ) AS "roles_used",
    BIT_COUNT(
      BIT_OR(
        CASE
          WHEN (
            "aged"."type" = 'session' AND NOT "aged"."before restart"
          )
          AND "aged"."age in days" < 7
          THEN CAST(1 AS BIGINT) << (
            "aged"."age in days" + 1
          )
        END
      )
    ) AS "daily_habit",
    MIN(
      CASE
        WHEN "aged"."type" = 'session' AND NOT "aged"."before restart"
        THEN "aged"."age in days"
      END
    ) AS "gone_quiet",
    LIST_SUM(
      MIN(
        (
          (
            CASE
              WHEN NOT CASE
                WHEN "aged"."type" IN ('plans_viewed', 'upgrade_started')
                THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_5" ELSE "worth"."worth_4" END
              END IS NULL
              THEN (
                (
                  "aged"."age in days" * 2
                ) + CAST("aged"."before restart" AS INT)
              )
            END
          ) * 1099511627776
        ) + CASE
          WHEN "aged"."type" IN ('plans_viewed', 'upgrade_started')
          THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_5" ELSE "worth"."worth_4" END
        END,
        3
      )
    ) - (
      LIST_SUM(
        MIN(
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" IN ('plans_viewed', 'upgrade_started')
              THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_5" ELSE "worth"."worth_4" END
            END IS NULL
            THEN (
              (
                "aged"."age in days" * 2
              ) + CAST("aged"."before restart" AS INT)
            )
          END,
          3
        )
      ) * 1099511627776
    ) AS "looked_at_plans"
  FROM "aged"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 814), 0)
  GROUP BY
    "aged"."lead"
), "per_day" AS (
  SELECT
    "aged"."lead",
    "aged"."age in days",
    COUNT(
      CASE
        WHEN "aged"."type" = 'limit_reached' AND NOT "aged"."before restart"
        THEN 1
      END
    ) AS "limit_reached",
    COUNT(CASE WHEN "aged"."type" = 'limit_reached' AND "aged"."before restart" THEN 1 END) AS "limit_reached earlier"
  FROM "aged"
  GROUP BY
    "aged"."lead",
    "aged"."age in days"
), "per_day_sums" AS (
  SELECT
    "per_day"."lead",
    SUM(
      (
        LEAST("per_day"."limit_reached", 1) * "worth"."worth_2"
      ) + (
        LEAST("per_day"."limit_reached earlier", (
          1 - LEAST("per_day"."limit_reached", 1)
        )) * "worth"."worth_3"
      )
    ) AS "limit_reached"
  FROM "per_day"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("per_day"."age in days", 814), 0)
  GROUP BY
    "per_day"."lead"
), "profiles" AS (
  SELECT
    "leads"."email_domain",
    "leads"."job_title__words",
    "leads"."lead",
    REGEXP_EXTRACT(
      TRIM(
        SPLIT_PART(
          CASE
            WHEN CONTAINS("leads"."email_domain__folded", '://')
            THEN REGEXP_EXTRACT("leads"."email_domain__folded", '://([^/?#]*)', 1)
            ELSE "leads"."email_domain__folded"
          END,
          '@',
          -1
        ),
        ' 	'
      ),
      '^[^/?#:> \t]*[^/?#:> \t.]'
    ) AS "email_domain as a domain"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."signed_up", 0) AS BIGINT) AS "signed_up",
    CAST(COALESCE("per_lead"."connected_data", 0) AS BIGINT) AS "connected_data",
    CAST(COALESCE("per_lead"."first_report", 0) AS BIGINT) AS "first_report",
    CAST(COALESCE("per_lead"."seat_invited", 0) AS BIGINT) AS "seat_invited",
    CAST(CASE WHEN "per_lead"."roles_used" >= 3 THEN 8000 ELSE 0 END AS BIGINT) AS "roles_used",
    CAST(COALESCE("of accounts"."company_team", 0) AS BIGINT) AS "company_team",
    CAST(CASE WHEN "per_lead"."daily_habit" >= 4 THEN 20000 ELSE 0 END AS BIGINT) AS "daily_habit",
    CAST(CASE WHEN "per_lead"."gone_quiet" >= 14 THEN -25000 ELSE 0 END AS BIGINT) AS "gone_quiet",
    CAST(GREATEST(LEAST(COALESCE("per_day_sums"."limit_reached", 0), 36000), -36000) AS BIGINT) AS "limit_reached",
    CAST(COALESCE("per_lead"."looked_at_plans", 0) AS BIGINT) AS "looked_at_plans",
    CAST(CASE
      WHEN (
        (
          CAST('2026-11-01' AS DATE) - CAST(NULL AS DATE)
        ) >= 0
        AND (
          CAST('2026-11-01' AS DATE) - CAST(NULL AS DATE)
        ) < 14
      )
      AND CAST(NULL AS TEXT) = 'free'
      THEN 10000
      ELSE 0
    END AS BIGINT) AS "trial_over",
    CAST(COALESCE(
      CASE
        WHEN REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
          SELECT
            "value"
          FROM "list free_mail"
        )
        THEN -10000
        WHEN REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
          SELECT
            "value"
          FROM "list academic"
        )
        THEN -20000
        WHEN COALESCE("profiles"."email_domain" <> '', FALSE)
        THEN 15000
      END,
      0
    ) AS BIGINT) AS "address",
    CAST(COALESCE(
      CASE
        WHEN CAST(NULL AS DOUBLE) >= CAST('1000.0' AS DOUBLE)
        THEN 15000
        WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('50.0' AS DOUBLE) AND CAST('999.0' AS DOUBLE)
        THEN 20000
        WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('10.0' AS DOUBLE) AND CAST('49.0' AS DOUBLE)
        THEN 5000
      END,
      0
    ) AS BIGINT) AS "company_size",
    CAST(CASE
      WHEN CONTAINS("profiles"."job_title__words", ' head of ')
      OR CONTAINS("profiles"."job_title__words", ' director ')
      OR CONTAINS("profiles"."job_title__words", ' vp ')
      OR CONTAINS("profiles"."job_title__words", ' chief ')
      OR CONTAINS("profiles"."job_title__words", ' founder ')
      OR CONTAINS("profiles"."job_title__words", ' manager ')
      THEN 15000
      ELSE 0
    END AS BIGINT) AS "role",
    CAST(CASE
      WHEN REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
        SELECT
          "value"
        FROM "list free_mail"
      )
      THEN 0
      WHEN REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
        SELECT
          "value"
        FROM "list academic"
      )
      THEN 1
      WHEN COALESCE("profiles"."email_domain" <> '', FALSE)
      THEN 2
    END AS BIGINT) AS "address__choice",
    CAST(CASE
      WHEN CAST(NULL AS DOUBLE) >= CAST('1000.0' AS DOUBLE)
      THEN 0
      WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('50.0' AS DOUBLE) AND CAST('999.0' AS DOUBLE)
      THEN 1
      WHEN CAST(NULL AS DOUBLE) BETWEEN CAST('10.0' AS DOUBLE) AND CAST('49.0' AS DOUBLE)
      THEN 2
    END AS BIGINT) AS "company_size__choice",
    COALESCE(CAST(NULL AS BOOLEAN) = TRUE, FALSE) AS "product_qualified__unless",
    CASE
      WHEN NOT COALESCE(
        REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
          SELECT
            "value"
          FROM "list free_mail"
        ),
        FALSE
      )
      THEN SHA256('email_domain|' || NULLIF("profiles"."email_domain as a domain", ''))
    END AS "product_qualified__once",
    "restarts"."restarted_at",
    COALESCE(
      NOT (
        COALESCE(CAST(NULL AS TEXT) IN ('team', 'business', 'enterprise'), FALSE)
        OR COALESCE(
          REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
            SELECT
              "value"
            FROM "list disposable"
          )
          OR REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){2}[^.]*$') IN (
            SELECT
              "value"
            FROM "list disposable"
          ),
          FALSE
        )
      ),
      FALSE
    ) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "per_day_sums"
    ON "per_day_sums"."lead" = "profiles"."lead"
  LEFT JOIN "restarts"
    ON "restarts"."lead" = "profiles"."lead"
  LEFT JOIN "of accounts"
    ON "of accounts"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    GREATEST(
      LEAST(
        "signed_up" + "connected_data" + "first_report" + "seat_invited" + "roles_used" + "daily_habit" + "gone_quiet" + "limit_reached" + "looked_at_plans" + "trial_over",
        100000
      ),
      0
    ) AS "usage",
    GREATEST(LEAST("company_team" + "address" + "company_size" + "role", 50000), -40000) AS "fit"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN(GREATEST(LEAST("usage" + "fit", 150000), 0)) * (
      (
        ABS(GREATEST(LEAST("usage" + "fit", 150000), 0)) + 500
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
      WHEN "total" >= 90
      THEN 'hot'
      WHEN "total" >= 50
      THEN 'warm'
      WHEN "total" >= 0
      THEN 'cold'
    END
  END AS TEXT) AS "band",
  CAST(CASE
    WHEN "in audience"
    THEN CASE
      WHEN (
        SIGN("fit") * (
          (
            ABS("fit") + 500
          ) // 1000
        )
      ) >= 35
      THEN 'A'
      WHEN (
        SIGN("fit") * (
          (
            ABS("fit") + 500
          ) // 1000
        )
      ) >= 15
      THEN 'B'
      WHEN (
        SIGN("fit") * (
          (
            ABS("fit") + 500
          ) // 1000
        )
      ) >= 0
      THEN 'C'
    END || CASE
      WHEN (
        SIGN("usage") * (
          (
            ABS("usage") + 500
          ) // 1000
        )
      ) >= 60
      THEN '1'
      WHEN (
        SIGN("usage") * (
          (
            ABS("usage") + 500
          ) // 1000
        )
      ) >= 30
      THEN '2'
      WHEN (
        SIGN("usage") * (
          (
            ABS("usage") + 500
          ) // 1000
        )
      ) >= 0
      THEN '3'
    END
  END AS TEXT) AS "grade",
  "restarted_at" AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("usage") * (
      (
        ABS("usage") + 500
      ) // 1000
    )
  END AS BIGINT) AS "usage",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("fit") * (
      (
        ABS("fit") + 500
      ) // 1000
    )
  END AS BIGINT) AS "fit",
  "signed_up",
  "connected_data",
  "first_report",
  "seat_invited",
  "roles_used",
  "company_team",
  "daily_habit",
  "gone_quiet",
  "limit_reached",
  "looked_at_plans",
  "trial_over",
  "address",
  "company_size",
  "role",
  "address__choice",
  "company_size__choice",
  "product_qualified__unless",
  "product_qualified__once"
FROM "totalled"
