-- Health of Plumb's kinds for Argo CD, from their conditions: Ready, Stalled (only a change of its inputs helps), Reconciling (it goes
-- on by itself). What was said of an older generation does not count.
local health = { status = "Progressing", message = "is not looked at yet" }

local function said(type)
  if obj.status == nil or obj.status.conditions == nil then
    return nil
  end
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == type then
      local seen = condition.observedGeneration or obj.status.observedGeneration or 0
      if seen >= (obj.metadata.generation or 0) then
        return condition
      end
    end
  end
  return nil
end

local ready = said("Ready")
local stalled = said("Stalled")
local reconciling = said("Reconciling")

if ready ~= nil then
  health.message = ready.message
end
if obj.metadata.deletionTimestamp ~= nil then
  if ready ~= nil and ready.status ~= "True" then
    health.deletionMessage = ready.message
  end
  return health
end
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.message
elseif reconciling ~= nil and reconciling.status == "True" then
  health.message = reconciling.message
elseif ready == nil then
  return health
elseif ready.status == "True" then
  health.status = "Healthy"
elseif ready.status == "False" and ready.reason == "PruneNeedsApproval" then
  health.status = "Suspended"
elseif ready.status == "False" and ready.reason == "Drifted" then
  -- Only reported, since its driftPolicy is Report: it stays so until somebody does something.
  health.status = "Degraded"
end
return health
