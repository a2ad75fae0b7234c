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
    "activities"."type" IN ('visit', 'call')
    AND "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "matched" AS (
  SELECT
    "watched".*,
    COALESCE(
      "watched"."type" = 'visit'
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: often matches",
    COALESCE(
      "watched"."type" IN ('visit', 'call')
      AND NOT COALESCE("watched"."asset__folded" = '/docs', FALSE)
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: widely matches",
    COALESCE(
      "watched"."type" = 'visit'
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: soon matches",
    COALESCE(
      "watched"."type" = 'call'
      AND "watched"."asset__folded" = '/docs'
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: docs matches",
    COUNT(
      CASE
        WHEN "watched"."type" = 'visit'
        AND NOT "watched"."lead" IN (
          SELECT
            "lead"
          FROM "released"
        )
        THEN 1
      END
    ) OVER (
      PARTITION BY "watched"."lead"
      ORDER BY "watched"."occurred_at"
      RANGE BETWEEN CURRENT ROW AND INTERVAL '86400' SECONDS FOLLOWING
    ) AS "quarantine: often count",
    COUNT(
      DISTINCT CASE
        WHEN "watched"."type" IN ('visit', 'call')
        AND NOT COALESCE("watched"."asset__folded" = '/docs', FALSE)
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
      RANGE BETWEEN CURRENT ROW AND INTERVAL '86400' SECONDS FOLLOWING
    ) AS "quarantine: widely count",
    COUNT(CASE WHEN "watched"."type" = 'call' THEN 1 END) OVER (
      PARTITION BY "watched"."lead"
      ORDER BY "watched"."occurred_at"
      RANGE BETWEEN INTERVAL '18000' SECONDS PRECEDING AND CURRENT ROW
    ) AS "quarantine: soon count"
  FROM "watched"
), "judged" AS (
  SELECT
    "matched".*,
    "matched"."quarantine: often matches"
    AND MAX("matched"."quarantine: often count") OVER (
      PARTITION BY "matched"."lead"
      ORDER BY "matched"."occurred_at"
      RANGE BETWEEN INTERVAL '86400' SECONDS PRECEDING AND CURRENT ROW
    ) >= 4 AS "quarantine: often takes",
    "matched"."quarantine: widely matches"
    AND MAX("matched"."quarantine: widely count") OVER (
      PARTITION BY "matched"."lead"
      ORDER BY "matched"."occurred_at"
      RANGE BETWEEN INTERVAL '86400' SECONDS PRECEDING AND CURRENT ROW
    ) >= 2 AS "quarantine: widely takes",
    "matched"."quarantine: soon matches" AND "matched"."quarantine: soon count" > 0 AS "quarantine: soon takes",
    "matched"."quarantine: docs matches" AS "quarantine: docs takes"
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
    NOT "activities"."type" IN ('visit', 'call')
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
    NOT (
      "judged"."quarantine: often takes"
      OR "judged"."quarantine: widely takes"
      OR "judged"."quarantine: soon takes"
      OR "judged"."quarantine: docs takes"
    )
), "aged" AS (
  SELECT
    "left"."lead",
    "left"."type",
    CAST('2026-11-01' AS DATE) - CAST("left"."occurred_at" AS DATE) AS "age in days"
  FROM "left"
  WHERE
    "left"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    COUNT(CASE WHEN "aged"."type" IN ('visit', 'call') THEN 1 END) AS "rule"
  FROM "aged"
  GROUP BY
    "aged"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."rule", 0) * 5000 AS BIGINT) AS "rule",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "rule" AS "engagement"
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
  CAST(NULL AS TIMESTAMP) AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  "rule"
FROM "totalled"
