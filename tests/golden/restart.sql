WITH "restarting" AS (
  SELECT
    "activities"."asset__folded",
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
    "restarting"."type" = 'call' AND "restarting"."asset__folded" = '/docs'
  GROUP BY
    "restarting"."lead"
), "worth" AS (
  SELECT
    "age in days",
    COALESCE("worth_0", 0) AS "worth_0",
    COALESCE("worth_1", 0) AS "worth_1"
  FROM (
    SELECT
      UNNEST(RANGE(95)) AS "age in days",
      UNNEST(
        CAST('[5000, 4529, 4102, 3715, 3365, 3048, 2760, 2500, 2264, 2051, 1857, 1682, 1524, 1380, 1250, 1132, 1025, 929, 841, 762, 690, 625, 566, 513, 464, 421, 381, 345, 313, 283, 256, 232, 210, 190, 173, 156, 142, 128, 116, 105, 95, 86, 78, 71, 64, 58, 53, 48, 43, 39, 35, 32, 29, 26, 24, 22, 20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_0",
      UNNEST(
        CAST('[1250, 1132, 1025, 929, 841, 762, 690, 625, 566, 513, 464, 421, 381, 345, 313, 283, 256, 232, 210, 190, 173, 156, 142, 128, 116, 105, 95, 86, 78, 71, 64, 58, 53, 48, 43, 39, 35, 32, 29, 26, 24, 22, 20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
      ) AS "worth_1"
  ) AS tables
), "aged" AS (
  SELECT
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
    SUM(
      CASE
        WHEN "aged"."type" IN ('visit', 'call')
        THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
      END
    ) AS "plain",
    SUM(
      CASE
        WHEN "aged"."type" IN ('visit', 'call')
        THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
      END
    ) AS "decaying",
    LIST_SUM(
      MIN(
        (
          (
            CASE
              WHEN NOT CASE
                WHEN "aged"."type" IN ('visit', 'call')
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
          WHEN "aged"."type" IN ('visit', 'call')
          THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
        END,
        3
      )
    ) - (
      LIST_SUM(
        MIN(
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" IN ('visit', 'call')
              THEN CASE WHEN "aged"."before restart" THEN "worth"."worth_1" ELSE "worth"."worth_0" END
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
    ) AS "newest",
    MAX(
      (
        (
          CASE
            WHEN NOT CASE
              WHEN "aged"."type" IN ('visit', 'call')
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
        WHEN "aged"."type" IN ('visit', 'call')
        THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
      END
    ) - (
      MAX(
        CASE
          WHEN NOT CASE
            WHEN "aged"."type" IN ('visit', 'call')
            THEN CASE WHEN "aged"."before restart" THEN 1250 ELSE 5000 END
          END IS NULL
          THEN (
            (
              "aged"."age in days" * 2
            ) + CAST("aged"."before restart" AS INT)
          )
        END
      ) * 1099511627776
    ) AS "first",
    COUNT(
      DISTINCT CASE
        WHEN (
          "aged"."type" IN ('visit', 'call') AND NOT "aged"."before restart"
        )
        AND "aged"."age in days" < 90
        THEN "aged"."age in days"
      END
    ) AS "often",
    MIN(
      CASE
        WHEN "aged"."type" IN ('visit', 'call') AND NOT "aged"."before restart"
        THEN "aged"."age in days"
      END
    ) AS "quiet"
  FROM "aged"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 94), 0)
  GROUP BY
    "aged"."lead"
), "per_day" AS (
  SELECT
    "aged"."lead",
    "aged"."age in days",
    COUNT(
      CASE
        WHEN "aged"."type" IN ('visit', 'call') AND NOT "aged"."before restart"
        THEN 1
      END
    ) AS "per_day",
    COUNT(
      CASE WHEN "aged"."type" IN ('visit', 'call') AND "aged"."before restart" THEN 1 END
    ) AS "per_day earlier"
  FROM "aged"
  GROUP BY
    "aged"."lead",
    "aged"."age in days"
), "per_day_sums" AS (
  SELECT
    "per_day"."lead",
    SUM(
      (
        LEAST("per_day"."per_day", 1) * "worth"."worth_0"
      ) + (
        LEAST("per_day"."per_day earlier", (
          1 - LEAST("per_day"."per_day", 1)
        )) * "worth"."worth_1"
      )
    ) AS "per_day"
  FROM "per_day"
  JOIN "worth"
    ON "worth"."age in days" = GREATEST(LEAST("per_day"."age in days", 94), 0)
  GROUP BY
    "per_day"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."plain", 0) AS BIGINT) AS "plain",
    CAST(COALESCE("per_lead"."decaying", 0) AS BIGINT) AS "decaying",
    CAST(COALESCE("per_lead"."newest", 0) AS BIGINT) AS "newest",
    CAST(COALESCE("per_lead"."first", 0) AS BIGINT) AS "first",
    CAST(COALESCE("per_day_sums"."per_day", 0) AS BIGINT) AS "per_day",
    CAST(CASE WHEN "per_lead"."often" >= 2 THEN 1000 ELSE 0 END AS BIGINT) AS "often",
    CAST(CASE WHEN "per_lead"."quiet" >= 5 THEN -1000 ELSE 0 END AS BIGINT) AS "quiet",
    "restarts"."restarted_at",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "per_day_sums"
    ON "per_day_sums"."lead" = "profiles"."lead"
  LEFT JOIN "restarts"
    ON "restarts"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "plain" + "decaying" + "newest" + "first" + "per_day" + "often" + "quiet" AS "engagement"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE WHEN "in audience" THEN NULL END AS TEXT) AS "band",
  CAST(NULL AS TEXT) AS "grade",
  "restarted_at" AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  "plain",
  "decaying",
  "newest",
  "first",
  "per_day",
  "often",
  "quiet"
FROM "totalled"
