WITH "aged" AS (
  SELECT
    "activities"."lead",
    "activities"."type",
    CAST('2026-11-01' AS DATE) - CAST("activities"."occurred_at" AS DATE) AS "age in days"
  FROM "activities"
  WHERE
    "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    COUNT(CASE WHEN "aged"."type" = 'visit' THEN 1 END) AS "visits"
  FROM "aged"
  GROUP BY
    "aged"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead",
    "leads"."size",
    "leads"."stage__folded"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(LEAST(COALESCE("per_lead"."visits", 0), 3) * 5000 AS BIGINT) AS "visits",
    CAST(CASE WHEN COALESCE(ISFINITE("profiles"."size"), FALSE) THEN 1000 ELSE 0 END AS BIGINT) AS "known",
    COALESCE(NOT COALESCE("profiles"."stage__folded" = 'customer', FALSE), FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "visits" AS "engagement",
    "known" AS "fit"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN("engagement" + "fit") * (
      (
        ABS("engagement" + "fit") + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE WHEN "in audience" THEN NULL END AS TEXT) AS "band",
  CAST(CASE
    WHEN "in audience"
    THEN CASE
      WHEN (
        SIGN("fit") * (
          (
            ABS("fit") + 500
          ) // 1000
        )
      ) >= 1
      THEN '1'
    END || '-' || CASE
      WHEN (
        SIGN("engagement") * (
          (
            ABS("engagement") + 500
          ) // 1000
        )
      ) >= 13
      THEN 'A'
      WHEN (
        SIGN("engagement") * (
          (
            ABS("engagement") + 500
          ) // 1000
        )
      ) >= 0
      THEN 'B'
    END
  END AS TEXT) AS "grade",
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
  "visits",
  "known"
FROM "totalled"
