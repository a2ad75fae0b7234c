WITH "of accounts" AS (
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
  ), "worth" AS (
    SELECT
      "age in days",
      COALESCE("worth_0", 0) AS "worth_0"
    FROM (
      SELECT
        UNNEST(RANGE(95)) AS "age in days",
        UNNEST(
          CAST('[5000, 4529, 4102, 3715, 3365, 3048, 2760, 2500, 2264, 2051, 1857, 1682, 1524, 1380, 1250, 1132, 1025, 929, 841, 762, 690, 625, 566, 513, 464, 421, 381, 345, 313, 283, 256, 232, 210, 190, 173, 156, 142, 128, 116, 105, 95, 86, 78, 71, 64, 58, 53, 48, 43, 39, 35, 32, 29, 26, 24, 22, 20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]' AS INT[])
        ) AS "worth_0"
    ) AS tables
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
      LIST_SUM(MAX(CASE WHEN "aged"."type" = 'visit' THEN "worth"."worth_0" END, 3)) AS "together",
      COUNT(
        DISTINCT CASE
          WHEN "aged"."type" = 'visit' AND "aged"."age in days" < 90
          THEN "aged"."person of the account"
        END
      ) AS "group",
      MIN(CASE WHEN "aged"."type" = 'visit' THEN "aged"."age in days" END) AS "quiet"
    FROM "aged"
    JOIN "worth"
      ON "worth"."age in days" = GREATEST(LEAST("aged"."age in days", 94), 0)
    GROUP BY
      "aged"."lead"
  ), "per_day" AS (
    SELECT
      "aged"."lead",
      "aged"."age in days",
      COUNT(CASE WHEN "aged"."type" = 'visit' THEN 1 END) AS "per_day"
    FROM "aged"
    GROUP BY
      "aged"."lead",
      "aged"."age in days"
  ), "per_day_sums" AS (
    SELECT
      "per_day"."lead",
      SUM(LEAST("per_day"."per_day", 1) * "worth"."worth_0") AS "per_day"
    FROM "per_day"
    JOIN "worth"
      ON "worth"."age in days" = GREATEST(LEAST("per_day"."age in days", 94), 0)
    GROUP BY
      "per_day"."lead"
  )
  SELECT
    "members"."lead",
    CAST(COALESCE("per_lead"."together", 0) AS BIGINT) AS "together",
    CAST(COALESCE("per_day_sums"."per_day", 0) AS BIGINT) AS "per_day",
    CAST(CASE WHEN "per_lead"."group" >= 2 THEN 1000 ELSE 0 END AS BIGINT) AS "group",
    CAST(CASE WHEN "per_lead"."quiet" >= 5 THEN -1000 ELSE 0 END AS BIGINT) AS "quiet"
  FROM "members"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "members"."account"
  LEFT JOIN "per_day_sums"
    ON "per_day_sums"."lead" = "members"."account"
), "aged" AS (
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
    COUNT(CASE WHEN "aged"."type" = 'visit' THEN 1 END) AS "own"
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
    CAST(LEAST(COALESCE("per_lead"."own", 0), 3) * 5000 AS BIGINT) AS "own",
    CAST(COALESCE("of accounts"."together", 0) AS BIGINT) AS "together",
    CAST(COALESCE("of accounts"."per_day", 0) AS BIGINT) AS "per_day",
    CAST(COALESCE("of accounts"."group", 0) AS BIGINT) AS "group",
    CAST(COALESCE("of accounts"."quiet", 0) AS BIGINT) AS "quiet",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "of accounts"
    ON "of accounts"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "own" + "together" + "per_day" + "group" + "quiet" AS "engagement"
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
  "own",
  "together",
  "per_day",
  "group",
  "quiet"
FROM "totalled"
