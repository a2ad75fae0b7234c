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
    COUNT(CASE WHEN "aged"."type" = 'custom_redirect_click' THEN 1 END) AS "custom_redirect_click",
    COUNT(CASE WHEN "aged"."type" = 'file_access' THEN 1 END) AS "file_access",
    COUNT(CASE WHEN "aged"."type" IN ('form_success', 'form_submit') THEN 1 END) AS "form_success",
    COUNT(CASE WHEN "aged"."type" = 'form_error' THEN 1 END) AS "form_error",
    COUNT(CASE WHEN "aged"."type" = 'form_handler_success' THEN 1 END) AS "form_handler_success",
    COUNT(CASE WHEN "aged"."type" = 'form_handler_error' THEN 1 END) AS "form_handler_error",
    COUNT(CASE WHEN "aged"."type" = 'landing_page_success' THEN 1 END) AS "landing_page_success",
    COUNT(CASE WHEN "aged"."type" = 'landing_page_error' THEN 1 END) AS "landing_page_error",
    COUNT(CASE WHEN "aged"."type" = 'page_view' THEN 1 END) AS "page_view",
    COUNT(CASE WHEN "aged"."type" = 'event_check_in' THEN 1 END) AS "event_check_in",
    COUNT(CASE WHEN "aged"."type" = 'event_registration' THEN 1 END) AS "event_registration",
    COUNT(CASE WHEN "aged"."type" = 'opportunity_created' THEN 1 END) AS "opportunity_created",
    COUNT(CASE WHEN "aged"."type" = 'opportunity_lost' THEN 1 END) AS "opportunity_lost",
    COUNT(CASE WHEN "aged"."type" = 'opportunity_won' THEN 1 END) AS "opportunity_won",
    COUNT(CASE WHEN "aged"."type" = 'chat' THEN 1 END) AS "chat",
    COUNT(CASE WHEN "aged"."type" = 'email_open' THEN 1 END) AS "email_open"
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
    CAST(COALESCE("per_lead"."custom_redirect_click", 0) * 3000 AS BIGINT) AS "custom_redirect_click",
    CAST(COALESCE("per_lead"."file_access", 0) * 3000 AS BIGINT) AS "file_access",
    CAST(COALESCE("per_lead"."form_success", 0) * 50000 AS BIGINT) AS "form_success",
    CAST(COALESCE("per_lead"."form_error", 0) * -5000 AS BIGINT) AS "form_error",
    CAST(COALESCE("per_lead"."form_handler_success", 0) * 50000 AS BIGINT) AS "form_handler_success",
    CAST(COALESCE("per_lead"."form_handler_error", 0) * -5000 AS BIGINT) AS "form_handler_error",
    CAST(COALESCE("per_lead"."landing_page_success", 0) * 50000 AS BIGINT) AS "landing_page_success",
    CAST(COALESCE("per_lead"."landing_page_error", 0) * -5000 AS BIGINT) AS "landing_page_error",
    CAST(COALESCE("per_lead"."page_view", 0) * 1000 AS BIGINT) AS "page_view",
    CAST(COALESCE("per_lead"."event_check_in", 0) * 0 AS BIGINT) AS "event_check_in",
    CAST(COALESCE("per_lead"."event_registration", 0) * 0 AS BIGINT) AS "event_registration",
    CAST(COALESCE("per_lead"."opportunity_created", 0) * 50000 AS BIGINT) AS "opportunity_created",
    CAST(COALESCE("per_lead"."opportunity_lost", 0) * -100000 AS BIGINT) AS "opportunity_lost",
    CAST(COALESCE("per_lead"."opportunity_won", 0) * 0 AS BIGINT) AS "opportunity_won",
    CAST(COALESCE("per_lead"."chat", 0) * 10000 AS BIGINT) AS "chat",
    CAST(LEAST(COALESCE("per_lead"."email_open", 0), 1) * 0 AS BIGINT) AS "email_open",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "custom_redirect_click" + "file_access" + "form_success" + "form_error" + "form_handler_success" + "form_handler_error" + "landing_page_success" + "landing_page_error" + "page_view" + "event_check_in" + "event_registration" + "opportunity_created" + "opportunity_lost" + "opportunity_won" + "chat" + "email_open" AS "engagement"
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
  "custom_redirect_click",
  "file_access",
  "form_success",
  "form_error",
  "form_handler_success",
  "form_handler_error",
  "landing_page_success",
  "landing_page_error",
  "page_view",
  "event_check_in",
  "event_registration",
  "opportunity_created",
  "opportunity_lost",
  "opportunity_won",
  "chat",
  "email_open"
FROM "totalled"
